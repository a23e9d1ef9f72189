package org.bloomery.engine.template;

import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One rendering of a template: walks the statements, keeps the variables, collects the output. Single-threaded. */
final class Interpreter {

    /** Variables of a template, loop body, macro or block; inner ones hide outer ones. */
    private static final class Scope {

        private final @Nullable Scope parent;
        private final Map<String, Value> variables = new HashMap<>(4);

        Scope(@Nullable Scope parent) {
            this.parent = parent;
        }
    }

    /** How a body ended. */
    private enum Outcome {
        DONE,
        BREAK,
        CONTINUE
    }

    private final Map<String, Value> given;
    private final Clock clock;
    private final Fuel fuel;
    private final Scope root = new Scope(null);
    private Scope scope = root;
    private Text.Builder out = new Text.Builder();
    private int line = 1;

    Interpreter(Map<String, Value> given, Clock clock, Fuel fuel) {
        this.given = given;
        this.clock = clock;
        this.fuel = fuel;
    }

    Text run(List<Node> body) {
        execute(body);
        return out.build();
    }

    /** The line of the statement or call that was reached last. */
    int line() {
        return line;
    }

    Fuel fuel() {
        return fuel;
    }

    Clock clock() {
        return clock;
    }

    // Statements

    private Outcome execute(List<Node> body) {
        for (Node node : body) {
            fuel.step();
            line = node.line();
            Outcome outcome = execute(node);
            if (outcome != Outcome.DONE) {
                return outcome;
            }
        }
        return Outcome.DONE;
    }

    private Outcome execute(Node node) {
        switch (node) {
            case Node.Data data -> print(data.text());
            case Node.Print print -> print(Python.str(evaluate(print.expression()), fuel));
            case Node.If condition -> {
                return executeIf(condition);
            }
            case Node.For loop -> executeFor(loop, scope, evaluate(loop.iterable()), 0);
            case Node.Assign assign -> assign(assign.target(), evaluate(assign.value()));
            case Node.AssignBlock block -> {
                Text text = capture(block.body(), new Scope(scope));
                assign(block.target(), links(text, block.filters()));
            }
            case Node.With with -> {
                Scope inner = new Scope(scope);
                List<Value> values = new ArrayList<>();
                for (Expr value : with.values()) {
                    values.add(evaluate(value));
                }
                Scope outer = scope;
                scope = inner;
                for (int i = 0; i < values.size(); i++) {
                    assign(with.targets().get(i), values.get(i));
                }
                Outcome outcome = executeIn(with.body(), inner);
                scope = outer;
                return outcome;
            }
            case Node.Macro macro ->
                scope.variables.put(macro.function().name(), function("Macro", macro.function(), scope));
            case Node.CallBlock call -> {
                Value callee = links(evaluate(call.head()), call.links());
                Arguments arguments = arguments(call.args());
                Map<String, Value> named = new LinkedHashMap<>(arguments.named());
                named.put("caller", function("Macro", call.body(), scope));
                line = call.line();
                print(Python.str(call(callee, new Arguments(arguments.positional(), named)), fuel));
            }
            case Node.FilterBlock block ->
                print(Python.str(links(capture(block.body(), new Scope(scope)), block.filters()), fuel));
            case Node.Scoped scoped -> {
                return executeIn(scoped.body(), new Scope(scope));
            }
            case Node.Block block -> executeIn(block.body(), new Scope(block.scoped() ? scope : root));
            case Node.Break end -> {
                return Outcome.BREAK;
            }
            case Node.Continue again -> {
                return Outcome.CONTINUE;
            }
            case Node.Refused refused -> throw new Failure(refused.message());
        }
        return Outcome.DONE;
    }

    private Outcome executeIf(Node.If condition) {
        for (Node.Branch branch : condition.branches()) {
            fuel.step();
            line = branch.line();
            if (Python.truth(evaluate(branch.test()))) {
                return nested(branch.body());
            }
        }
        return nested(condition.otherwise());
    }

    private Outcome nested(List<Node> body) {
        fuel.enter();
        Outcome outcome = execute(body);
        fuel.leave();
        return outcome;
    }

    private Outcome executeIn(List<Node> body, Scope inner) {
        Scope outer = scope;
        scope = inner;
        Outcome outcome = nested(body);
        scope = outer;
        return outcome;
    }

    private void executeFor(Node.For loop, Scope outer, Value iterable, int depth) {
        List<Value> items = Python.items(iterable, fuel);
        Scope caller = scope;
        if (loop.test() != null) {
            List<Value> chosen = new ArrayList<>();
            for (Value item : items) {
                fuel.step();
                scope = new Scope(outer);
                assign(loop.target(), item);
                if (Python.truth(evaluate(loop.test()))) {
                    chosen.add(item);
                }
            }
            items = chosen;
        }
        Callable.Body recursion = !loop.recursive()
                ? null
                : (in, arguments) -> {
                    Value inner = bound(arguments.bind("loop", 1, "iterable")[0]);
                    return captured(() -> executeFor(loop, outer, inner, depth + 1));
                };
        Loop state = new Loop(items, depth, recursion);
        boolean completed = false;
        for (int i = 0; i < items.size(); i++) {
            fuel.step();
            state.advance();
            scope = new Scope(outer);
            scope.variables.put("loop", state);
            assign(loop.target(), items.get(i));
            Outcome outcome = nested(loop.body());
            completed |= outcome == Outcome.DONE;
            if (outcome == Outcome.BREAK) {
                break;
            }
        }
        // Jinja runs the else branch also where every round ended early
        if (!completed) {
            scope = new Scope(outer);
            nested(loop.otherwise());
        }
        scope = caller;
    }

    private static Value bound(@Nullable Value value) {
        return java.util.Objects.requireNonNull(value);
    }

    private void print(Text text) {
        fuel.work(text.length());
        fuel.checkText((long) out.length() + text.length());
        out.append(text);
    }

    private Text capture(List<Node> body, Scope inner) {
        return captured(() -> executeIn(body, inner));
    }

    private Text captured(Runnable printing) {
        Text.Builder outer = out;
        out = new Text.Builder();
        printing.run();
        Text text = out.build();
        out = outer;
        return text;
    }

    private void assign(Node.Target target, Value value) {
        switch (target) {
            case Node.Variable variable -> scope.variables.put(variable.name(), value);
            case Node.NamespaceAttribute attribute -> {
                if (!(variable(attribute.namespace()) instanceof Namespace namespace)) {
                    throw new Failure("cannot assign attribute on non-namespace object");
                }
                namespace.attributes().put(attribute.attribute(), value);
            }
            case Node.Unpack unpack -> {
                int wanted = unpack.targets().size();
                if (!Python.isIterable(value)) {
                    throw new Failure("cannot unpack non-iterable " + Python.typeName(value) + " object");
                }
                List<Value> items = Python.items(value, fuel);
                if (items.size() != wanted) {
                    throw new Failure(
                            items.size() > wanted
                                    ? "too many values to unpack (expected " + wanted + ")"
                                    : "not enough values to unpack (expected " + wanted + ", got " + items.size()
                                            + ")");
                }
                for (int i = 0; i < wanted; i++) {
                    assign(unpack.targets().get(i), items.get(i));
                }
            }
        }
    }

    private Value variable(String name) {
        for (Scope each = scope; each != null; each = each.parent) {
            Value value = each.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        Value value = given.get(name);
        if (value == null) {
            value = Functions.global(name);
        }
        return value != null ? value : Undefined.variable(name);
    }

    /** A macro or the body of a call block as a value. */
    private Value function(String typeName, Node.Function function, Scope defined) {
        List<Value> names = new ArrayList<>();
        function.parameters().forEach(parameter -> names.add(Text.trusted(parameter)));
        Map<String, Value> attributes = Map.of(
                "name", Text.trusted(function.name()),
                "arguments", Seq.tuple(names),
                "catch_kwargs", Bool.of(function.usesKwargs()),
                "catch_varargs", Bool.of(function.usesVarargs()),
                "caller", Bool.of(function.usesCaller()));
        return new Callable(
                typeName, function.name(), attributes, (in, arguments) -> invoke(function, defined, arguments));
    }

    private Value invoke(Node.Function function, Scope defined, Arguments arguments) {
        Scope inner = new Scope(defined);
        List<String> parameters = function.parameters();
        List<Value> positional = arguments.positional();
        Map<String, Value> named = new LinkedHashMap<>(arguments.named());
        int taken = Math.min(positional.size(), parameters.size());
        List<String> missing = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            Value value = i < taken ? positional.get(i) : named.remove(parameter);
            if (value != null) {
                inner.variables.put(parameter, value);
            } else {
                missing.add(parameter);
            }
        }
        if (function.usesCaller() && !parameters.contains("caller")) {
            Value caller = named.remove("caller");
            inner.variables.put("caller", caller != null ? caller : new Undefined("No caller defined"));
        }
        if (function.usesKwargs()) {
            LinkedHashMap<Value, Value> rest = new LinkedHashMap<>();
            named.forEach((name, value) -> rest.put(Text.untrusted(name), value));
            inner.variables.put("kwargs", new Dict(rest));
        } else if (!named.isEmpty()) {
            throw new Failure("macro '" + function.name() + "' got a keyword argument that it does not take");
        }
        if (function.usesVarargs()) {
            inner.variables.put("varargs", Seq.tuple(new ArrayList<>(positional.subList(taken, positional.size()))));
        } else if (positional.size() > parameters.size()) {
            throw new Failure(
                    "macro '" + function.name() + "' takes not more than " + parameters.size() + " argument(s)");
        }
        int required = parameters.size() - function.defaults().size();
        Scope outer = scope;
        scope = inner;
        for (String parameter : missing) {
            int optional = parameters.indexOf(parameter) - required;
            inner.variables.put(
                    parameter,
                    optional >= 0
                            ? evaluate(function.defaults().get(optional))
                            : new Undefined("parameter '" + parameter + "' was not provided"));
        }
        Text text = capture(function.body(), inner);
        scope = outer;
        return text;
    }

    // Expressions

    Value evaluate(Expr expression) {
        fuel.step();
        return switch (expression) {
            case Expr.Constant constant -> constant.value();
            case Expr.Name name -> variable(name.name());
            default -> {
                fuel.enter();
                Value value = evaluateNested(expression);
                fuel.leave();
                yield value;
            }
        };
    }

    private Value evaluateNested(Expr expression) {
        return switch (expression) {
            case Expr.Constant constant -> constant.value();
            case Expr.Name name -> variable(name.name());
            case Expr.Chain chain -> links(evaluate(chain.head()), chain.links());
            case Expr.Arithmetic arithmetic -> {
                Value left = evaluate(arithmetic.first());
                for (Expr.Operand operand : arithmetic.rest()) {
                    Value right = evaluate(operand.right());
                    line = operand.line();
                    left = Python.binary(operand.operator(), left, right, fuel);
                }
                yield left;
            }
            case Expr.Concat concat -> {
                Text text = Text.EMPTY;
                for (Expr part : concat.parts()) {
                    Text next = Python.str(evaluate(part), fuel);
                    fuel.checkText((long) text.length() + next.length());
                    text = text.plus(next);
                }
                yield text;
            }
            case Expr.Or or -> {
                Value value = None.NONE;
                for (Expr part : or.parts()) {
                    value = evaluate(part);
                    if (Python.truth(value)) {
                        break;
                    }
                }
                yield value;
            }
            case Expr.And and -> {
                Value value = None.NONE;
                for (Expr part : and.parts()) {
                    value = evaluate(part);
                    if (!Python.truth(value)) {
                        break;
                    }
                }
                yield value;
            }
            case Expr.Not not -> Bool.of(!Python.truth(evaluate(not.operand())));
            case Expr.Compare compare -> compare(compare);
            case Expr.Sign sign -> {
                Value value = Python.requireDefined(evaluate(sign.operand()));
                if (!Numbers.isNumber(value)) {
                    throw new Failure("bad operand type for unary " + (sign.negative() ? "-" : "+") + ": '"
                            + Python.typeName(value) + "'");
                }
                yield sign.negative() ? Numbers.negate(value) : Numbers.negate(Numbers.negate(value));
            }
            case Expr.Conditional conditional -> {
                if (Python.truth(evaluate(conditional.test()))) {
                    yield evaluate(conditional.yes());
                }
                Expr no = conditional.no();
                yield no != null
                        ? evaluate(no)
                        : new Undefined("the inline if-expression evaluated to false and no else section was defined");
            }
            case Expr.ListOf list -> Seq.list(all(list.items()));
            case Expr.TupleOf tuple -> Seq.tuple(all(tuple.items()));
            case Expr.DictOf dict -> {
                LinkedHashMap<Value, Value> entries = new LinkedHashMap<>();
                for (int i = 0; i < dict.keys().size(); i++) {
                    Value key = Python.key(evaluate(dict.keys().get(i)), fuel);
                    entries.put(key, evaluate(dict.values().get(i)));
                }
                fuel.elements(entries.size());
                yield new Dict(entries);
            }
            case Expr.SliceOf slice ->
                new Slice(optional(slice.start()), optional(slice.stop()), optional(slice.step()));
        };
    }

    private Value optional(@Nullable Expr expression) {
        return expression == null ? None.NONE : evaluate(expression);
    }

    private List<Value> all(List<Expr> expressions) {
        fuel.elements(expressions.size());
        List<Value> values = new ArrayList<>(expressions.size());
        for (Expr expression : expressions) {
            values.add(evaluate(expression));
        }
        return values;
    }

    private Value compare(Expr.Compare compare) {
        Value left = evaluate(compare.first());
        for (Expr.Operand operand : compare.rest()) {
            Value right = evaluate(operand.right());
            line = operand.line();
            if (!compare(operand.operator(), left, right)) {
                return Bool.FALSE;
            }
            left = right;
        }
        return Bool.TRUE;
    }

    /** A comparison operator on two values. */
    boolean compare(String operator, Value left, Value right) {
        return switch (operator) {
            case "==" -> Python.equal(left, right, fuel);
            case "!=" -> !Python.equal(left, right, fuel);
            case "<" -> ordered(left, right) && Python.compare(left, right, "<", fuel) < 0;
            case "<=" -> ordered(left, right) && Python.compare(left, right, "<=", fuel) <= 0;
            case ">" -> ordered(left, right) && Python.compare(left, right, ">", fuel) > 0;
            case ">=" -> ordered(left, right) && Python.compare(left, right, ">=", fuel) >= 0;
            case "in" -> Python.contains(right, left, fuel);
            case "not in" -> !Python.contains(right, left, fuel);
            default -> throw new IllegalArgumentException(operator);
        };
    }

    /** Every comparison with NaN is false. */
    private static boolean ordered(Value left, Value right) {
        return !(left instanceof Real x && Double.isNaN(x.value()) && Numbers.isNumber(right))
                && !(right instanceof Real y && Double.isNaN(y.value()) && Numbers.isNumber(left));
    }

    private Value links(Value head, List<Expr.Link> links) {
        Value value = head;
        for (Expr.Link link : links) {
            fuel.step();
            line = link.line();
            value = switch (link) {
                case Expr.Attribute attribute -> attribute(value, attribute.name());
                case Expr.Item item -> {
                    Value index = evaluate(item.index());
                    line = item.line();
                    yield item(value, index);
                }
                case Expr.Call call -> {
                    Arguments arguments = arguments(call.args());
                    line = call.line();
                    yield call(value, arguments);
                }
                case Expr.Filter filter -> {
                    Arguments arguments = arguments(filter.args());
                    line = filter.line();
                    yield filter(filter.name(), value, arguments);
                }
                case Expr.Test test -> {
                    Arguments arguments = arguments(test.args());
                    line = test.line();
                    yield Bool.of(test(test.name(), value, arguments) != test.negated());
                }
            };
        }
        return value;
    }

    /** Applies a filter by its name. */
    Value filter(String name, Value value, Arguments arguments) {
        look(value);
        arguments.positional().forEach(this::look);
        fuel.enterCall();
        Value result = Filters.named(name).apply(this, value, arguments);
        fuel.leaveCall();
        return result;
    }

    /** Applies a test by its name. */
    boolean test(String name, Value value, Arguments arguments) {
        return Tests.named(name).apply(this, value, arguments);
    }

    /** Looking into a text costs its length. */
    private void look(Value value) {
        if (value instanceof Text text) {
            fuel.work(text.length());
        }
    }

    private Arguments arguments(Expr.Args args) {
        if (args.equals(Expr.Args.NONE)) {
            return Arguments.NONE;
        }
        List<Value> positional = all(args.positional());
        Map<String, Value> named = new LinkedHashMap<>();
        for (int i = 0; i < args.names().size(); i++) {
            named.put(args.names().get(i), evaluate(args.named().get(i)));
        }
        if (args.starred() != null) {
            List<Value> more = Python.items(evaluate(args.starred()), fuel);
            fuel.elements(more.size());
            positional.addAll(more);
        }
        if (args.doubleStarred() != null) {
            Value more = evaluate(args.doubleStarred());
            if (!(more instanceof Dict dict)) {
                throw new Failure("argument after ** must be a mapping, not " + Python.typeName(more));
            }
            fuel.elements(dict.size());
            dict.entries().forEach((key, value) -> {
                if (!(key instanceof Text name)) {
                    throw new Failure("keywords must be strings");
                }
                if (named.put(name.chars(), value) != null) {
                    throw new Failure("a call got multiple values for one keyword argument");
                }
            });
        }
        return new Arguments(positional, named);
    }

    Value call(Value callee, Arguments arguments) {
        fuel.enterCall();
        arguments.positional().forEach(this::look);
        Value result = switch (callee) {
            case Callable callable -> callable.body().call(this, arguments);
            case Loop loop -> loop.call(this, arguments);
            case Undefined undefined -> throw undefined.failure();
            default -> throw new Failure("'" + Python.typeName(callee) + "' object is not callable");
        };
        fuel.leaveCall();
        return result;
    }

    /** value.name: an attribute or method, else the item of that name. */
    Value attribute(Value value, String name) {
        Value found = Methods.attribute(value, name, fuel);
        if (found == null) {
            found = Python.item(value, Text.trusted(name), fuel);
        }
        return found != null ? found : missing(value, name);
    }

    /** value[index]: an item, else the attribute or method of that name. */
    Value item(Value value, Value index) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (index instanceof Text text) {
            fuel.work(text.length());
        }
        Value found = Python.item(value, index, fuel);
        if (found == null && index instanceof Slice) {
            throw new Failure(
                    value instanceof Dict
                            ? "unhashable type: 'slice'"
                            : "'" + Python.typeName(value) + "' object is not subscriptable");
        }
        if (found == null && index instanceof Text name) {
            found = Methods.attribute(value, name.chars(), fuel);
        }
        return found != null
                ? found
                : index instanceof Text name
                        ? missing(value, name.shown())
                        : new Undefined(Python.typeName(value) + " object has no such element");
    }

    private static Value missing(Value value, String name) {
        return new Undefined("'" + Python.typeName(value) + " object' has no attribute '" + name + "'");
    }
}

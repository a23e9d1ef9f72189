package org.bloomery.engine.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bloomery.engine.template.Token.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Builds statements and expressions from tokens with the grammar of jinja2.parser, plus the loop controls and generation
 * blocks that Hugging Face adds. Recursion is bounded by {@link Fuel#MAX_DEPTH}.
 */
final class Parser {

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> CONSTANT_NAMES = Set.of("true", "false", "none", "True", "False", "None");
    private static final Map<String, Value> CONSTANTS = Map.of(
            "true",
            Bool.TRUE,
            "True",
            Bool.TRUE,
            "false",
            Bool.FALSE,
            "False",
            Bool.FALSE,
            "none",
            None.NONE,
            "None",
            None.NONE);

    private final List<Token> tokens;
    private int at;
    private int depth;
    private int loops;
    /** Filters and tests that do not exist; inside a condition they fail only when they are reached. */
    private final List<String> unknown = new ArrayList<>();

    private final ArrayDeque<Uses> functions = new ArrayDeque<>();

    /** Which of the special names a function's body reads. */
    private static final class Uses {
        private boolean caller;
        private boolean varargs;
        private boolean kwargs;
    }

    private Parser(List<Token> tokens) {
        this.tokens = tokens;
    }

    static List<Node> parse(String source) {
        Parser parser = new Parser(Lexer.tokens(source));
        try {
            List<Node> body = parser.body();
            if (!parser.current().is(Kind.END)) {
                throw new Failure("unexpected tag " + parser.current().shown());
            }
            parser.refuseUnknownAfter(0);
            return body;
        } catch (Failure failure) {
            throw new TemplateException("The chat template does not parse at line "
                    + parser.current().line() + ": " + failure.getMessage() + ".");
        }
    }

    private Token current() {
        return tokens.get(at);
    }

    private Token look() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    private Token next() {
        Token token = tokens.get(at);
        if (at < tokens.size() - 1) {
            at++;
        }
        return token;
    }

    private boolean skipName(String name) {
        boolean found = current().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    private boolean skipOperator(String operator) {
        boolean found = current().isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    private Token expect(Kind kind, String what) {
        if (!current().is(kind)) {
            throw new Failure("expected " + what + ", found " + current().shown());
        }
        return next();
    }

    private void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw new Failure("expected '" + operator + "', found " + current().shown());
        }
    }

    private void expectName(String name) {
        if (!skipName(name)) {
            throw new Failure("expected '" + name + "', found " + current().shown());
        }
    }

    private void refuseUnknownAfter(int known) {
        if (unknown.size() > known) {
            throw new Failure(unknown.get(known));
        }
    }

    private void forgetUnknownAfter(int known) {
        unknown.subList(known, unknown.size()).clear();
    }

    private void enter() {
        if (++depth > Fuel.MAX_DEPTH) {
            throw new Failure("it nests deeper than " + Fuel.MAX_DEPTH);
        }
    }

    private void leave() {
        depth--;
    }

    // Statements

    /** Statements up to one of the end tags, whose name is then the current token, or to the end of the template. */
    private List<Node> body(String... ends) {
        enter();
        List<Node> body = new ArrayList<>();
        while (!current().is(Kind.END)) {
            Token token = next();
            switch (token.kind()) {
                case DATA -> body.add(new Node.Data(Text.trusted(token.text()), token.line()));
                case VARIABLE_BEGIN -> {
                    body.add(new Node.Print(tuple(true, false), token.line()));
                    expect(Kind.VARIABLE_END, "end of print statement");
                }
                case BLOCK_BEGIN -> {
                    for (String end : ends) {
                        if (current().isName(end)) {
                            leave();
                            return body;
                        }
                    }
                    body.add(statement());
                    expect(Kind.BLOCK_END, "end of statement block");
                }
                default -> throw new Failure("unexpected " + token.shown());
            }
        }
        if (ends.length > 0) {
            throw new Failure("unexpected end of template, looking for '" + String.join("' or '", ends) + "'");
        }
        leave();
        return body;
    }

    /** The body of a statement after its opening tag, up to and without one of the end names. */
    private List<Node> statements(String... ends) {
        skipOperator(":");
        expect(Kind.BLOCK_END, "end of statement block");
        return body(ends);
    }

    /** A body in a scope of its own, with its end tag. */
    private List<Node> scopedBody(String end) {
        int known = unknown.size();
        List<Node> body = statements(end);
        refuseUnknownAfter(known);
        next();
        return body;
    }

    private Node statement() {
        Token token = expect(Kind.NAME, "a tag name");
        int line = token.line();
        return switch (token.text()) {
            case "if" -> ifStatement(line);
            case "for" -> forStatement(line);
            case "set" -> setStatement(line);
            case "with" -> withStatement(line);
            case "macro" -> macroStatement(line);
            case "call" -> callBlock(line);
            case "filter" -> {
                List<Expr.Link> filters = new ArrayList<>();
                filters.add(filter());
                filters.addAll(filters());
                yield new Node.FilterBlock(filters, scopedBody("endfilter"), line);
            }
            case "print" -> printStatement(line);
            case "generation" -> new Node.Scoped(scopedBody("endgeneration"), line);
            case "break" -> loopControl(new Node.Break(line));
            case "continue" -> loopControl(new Node.Continue(line));
            case "block" -> blockStatement(line);
            case "autoescape" -> autoescape(line);
            case "include", "import", "from", "extends" -> otherTemplate(token);
            default -> throw new Failure("unknown tag '" + token.text() + "'");
        };
    }

    private Node loopControl(Node control) {
        if (loops == 0) {
            throw new Failure("break and continue belong into a for loop");
        }
        return control;
    }

    private Node ifStatement(int line) {
        int known = unknown.size();
        List<Node.Branch> branches = new ArrayList<>();
        List<Node> otherwise = List.of();
        int branchLine = line;
        while (true) {
            Expr test = tuple(false, false);
            branches.add(new Node.Branch(test, statements("elif", "else", "endif"), branchLine));
            Token token = next();
            if (token.text().equals("elif")) {
                branchLine = token.line();
                continue;
            }
            if (token.text().equals("else")) {
                otherwise = statements("endif");
                next();
            }
            break;
        }
        forgetUnknownAfter(known);
        return new Node.If(branches, otherwise, line);
    }

    private Node forStatement(int line) {
        Node.Target target = target("in", false);
        expectName("in");
        Expr iterable = tuple(false, false, "recursive");
        int known = unknown.size();
        Expr test = skipName("if") ? expression() : null;
        boolean recursive = skipName("recursive");
        loops++;
        List<Node> body = statements("endfor", "else");
        loops--;
        List<Node> otherwise = List.of();
        if (next().text().equals("else")) {
            otherwise = statements("endfor");
            next();
        }
        refuseUnknownAfter(known);
        return new Node.For(target, iterable, test, recursive, body, otherwise, line);
    }

    private Node setStatement(int line) {
        Node.Target target = target("", true);
        if (skipOperator("=")) {
            return new Node.Assign(target, tuple(true, false), line);
        }
        return new Node.AssignBlock(target, filters(), scopedBody("endset"), line);
    }

    private Node withStatement(int line) {
        List<Node.Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!current().is(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                expectOperator(",");
            }
            targets.add(target("", false));
            expectOperator("=");
            values.add(expression());
        }
        return new Node.With(targets, values, scopedBody("endwith"), line);
    }

    private Node macroStatement(int line) {
        String name = variable();
        return new Node.Macro(function(name, "endmacro", true), line);
    }

    private Node callBlock(int line) {
        Uses uses = new Uses();
        functions.push(uses);
        List<String> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        if (current().isOperator("(")) {
            signature(parameters, defaults);
        }
        functions.pop();
        Expr call = expression();
        if (!(call instanceof Expr.Chain chain) || !(chain.links().getLast() instanceof Expr.Call last)) {
            throw new Failure("expected a call");
        }
        functions.push(uses);
        Node.Function body = functionBody("caller", parameters, defaults, "endcall");
        return new Node.CallBlock(
                chain.head(), chain.links().subList(0, chain.links().size() - 1), last.args(), body, line);
    }

    private Node.Function function(String name, String end, boolean signed) {
        functions.push(new Uses());
        List<String> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        if (signed) {
            signature(parameters, defaults);
        }
        return functionBody(name, parameters, defaults, end);
    }

    /** The rest of a function whose uses are on top of the stack. */
    private Node.Function functionBody(String name, List<String> parameters, List<Expr> defaults, String end) {
        int outerLoops = loops;
        loops = 0;
        List<Node> body = scopedBody(end);
        loops = outerLoops;
        Uses uses = functions.pop();
        return new Node.Function(name, parameters, defaults, body, uses.caller, uses.varargs, uses.kwargs);
    }

    private void signature(List<String> parameters, List<Expr> defaults) {
        expectOperator("(");
        while (!current().isOperator(")")) {
            if (!parameters.isEmpty()) {
                expectOperator(",");
            }
            parameters.add(variable());
            if (skipOperator("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty()) {
                throw new Failure("a parameter without default follows one with a default");
            }
        }
        expectOperator(")");
    }

    private Node printStatement(int line) {
        List<Node> prints = new ArrayList<>();
        while (!current().is(Kind.BLOCK_END)) {
            if (!prints.isEmpty()) {
                expectOperator(",");
            }
            prints.add(new Node.Print(expression(), line));
        }
        return new Node.If(List.of(new Node.Branch(new Expr.Constant(Bool.TRUE), prints, line)), List.of(), line);
    }

    private Node blockStatement(int line) {
        String name = expect(Kind.NAME, "a block name").text();
        boolean scoped = skipName("scoped");
        skipName("required");
        int outerLoops = loops;
        loops = 0;
        List<Node> body = scopedBody("endblock");
        loops = outerLoops;
        skipName(name);
        return new Node.Block(body, scoped, line);
    }

    private Node autoescape(int line) {
        Expr on = expression();
        List<Node> body = scopedBody("endautoescape");
        return on instanceof Expr.Constant constant && constant.value().equals(Bool.FALSE)
                ? new Node.Scoped(body, line)
                : new Node.Refused("autoescape is not supported in chat templates", line);
    }

    /** Reads over a statement about another template, of which there is none. */
    private Node otherTemplate(Token tag) {
        while (!current().is(Kind.BLOCK_END) && !current().is(Kind.END)) {
            next();
        }
        return new Node.Refused("'" + tag.text() + "' needs another template, and there is none", tag.line());
    }

    // Targets

    private String variable() {
        Token token = expect(Kind.NAME, "a name");
        if (CONSTANT_NAMES.contains(token.text())) {
            throw new Failure("can't assign to '" + token.text() + "'");
        }
        return token.text();
    }

    private Node.Target target(String end, boolean mayBeNamespace) {
        enter();
        List<Node.Target> targets = new ArrayList<>();
        boolean several = false;
        while (true) {
            if (!targets.isEmpty()) {
                expectOperator(",");
            }
            if (endsTuple() || current().isName(end)) {
                break;
            }
            targets.add(singleTarget(mayBeNamespace));
            if (current().isOperator(",")) {
                several = true;
            } else {
                break;
            }
        }
        leave();
        if (targets.isEmpty()) {
            throw new Failure("expected a name, found " + current().shown());
        }
        return several ? new Node.Unpack(targets) : targets.getFirst();
    }

    private Node.Target singleTarget(boolean mayBeNamespace) {
        if (skipOperator("(")) {
            Node.Target inner = target("", false);
            expectOperator(")");
            return inner;
        }
        String name = variable();
        if (mayBeNamespace && skipOperator(".")) {
            return new Node.NamespaceAttribute(name, expect(Kind.NAME, "a name").text());
        }
        return new Node.Variable(name);
    }

    // Expressions

    private boolean endsTuple() {
        return current().is(Kind.VARIABLE_END)
                || current().is(Kind.BLOCK_END)
                || current().isOperator(")");
    }

    private Expr tuple(boolean conditional, boolean parenthesised, String... ends) {
        List<Expr> items = new ArrayList<>();
        boolean several = false;
        while (true) {
            if (!items.isEmpty()) {
                expectOperator(",");
            }
            boolean ended = endsTuple();
            for (String end : ends) {
                ended |= current().isName(end);
            }
            if (ended) {
                break;
            }
            items.add(conditional ? expression() : or());
            if (current().isOperator(",")) {
                several = true;
            } else {
                break;
            }
        }
        if (several) {
            return new Expr.TupleOf(items);
        }
        if (!items.isEmpty()) {
            return items.getFirst();
        }
        if (!parenthesised) {
            throw new Failure("expected an expression, found " + current().shown());
        }
        return new Expr.TupleOf(items);
    }

    private Expr expression() {
        enter();
        int known = unknown.size();
        Expr result = conditional();
        if (result instanceof Expr.Conditional) {
            forgetUnknownAfter(known);
        }
        leave();
        return result;
    }

    private Expr conditional() {
        Expr result = or();
        while (skipName("if")) {
            Expr test = or();
            Expr no = skipName("else") ? expression() : null;
            result = new Expr.Conditional(test, result, no);
        }
        return result;
    }

    private Expr or() {
        Expr first = and();
        if (!current().isName("or")) {
            return first;
        }
        List<Expr> parts = new ArrayList<>(List.of(first));
        while (skipName("or")) {
            parts.add(and());
        }
        return new Expr.Or(parts);
    }

    private Expr and() {
        Expr first = not();
        if (!current().isName("and")) {
            return first;
        }
        List<Expr> parts = new ArrayList<>(List.of(first));
        while (skipName("and")) {
            parts.add(not());
        }
        return new Expr.And(parts);
    }

    private Expr not() {
        if (!skipName("not")) {
            return compare();
        }
        enter();
        Expr operand = not();
        leave();
        return new Expr.Not(operand);
    }

    private Expr compare() {
        Expr first = sum();
        List<Expr.Operand> rest = new ArrayList<>();
        while (true) {
            Token token = current();
            if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
                next();
                rest.add(new Expr.Operand(token.text(), sum(), token.line()));
            } else if (skipName("in")) {
                rest.add(new Expr.Operand("in", sum(), token.line()));
            } else if (token.isName("not") && look().isName("in")) {
                next();
                next();
                rest.add(new Expr.Operand("not in", sum(), token.line()));
            } else {
                break;
            }
        }
        return rest.isEmpty() ? first : new Expr.Compare(first, rest);
    }

    private Expr sum() {
        Expr first = concat();
        List<Expr.Operand> rest = new ArrayList<>();
        while (current().isOperator("+") || current().isOperator("-")) {
            Token operator = next();
            rest.add(new Expr.Operand(operator.text(), concat(), operator.line()));
        }
        return rest.isEmpty() ? first : new Expr.Arithmetic(first, rest);
    }

    private Expr concat() {
        Expr first = product();
        if (!current().isOperator("~")) {
            return first;
        }
        List<Expr> parts = new ArrayList<>(List.of(first));
        while (skipOperator("~")) {
            parts.add(product());
        }
        return new Expr.Concat(parts);
    }

    private Expr product() {
        Expr first = power();
        List<Expr.Operand> rest = new ArrayList<>();
        while (current().is(Kind.OPERATOR)
                && Set.of("*", "/", "//", "%").contains(current().text())) {
            Token operator = next();
            rest.add(new Expr.Operand(operator.text(), power(), operator.line()));
        }
        return rest.isEmpty() ? first : new Expr.Arithmetic(first, rest);
    }

    private Expr power() {
        Expr first = unary(true);
        List<Expr.Operand> rest = new ArrayList<>();
        while (current().isOperator("**")) {
            Token operator = next();
            rest.add(new Expr.Operand("**", unary(true), operator.line()));
        }
        return rest.isEmpty() ? first : new Expr.Arithmetic(first, rest);
    }

    private Expr unary(boolean withFilter) {
        enter();
        Expr head;
        if (skipOperator("-")) {
            head = new Expr.Sign(true, unary(false));
        } else if (skipOperator("+")) {
            head = new Expr.Sign(false, unary(false));
        } else {
            head = primary();
        }
        List<Expr.Link> links = new ArrayList<>();
        postfix(links);
        if (withFilter) {
            filterLinks(links);
        }
        leave();
        return links.isEmpty() ? head : new Expr.Chain(head, links);
    }

    private Expr primary() {
        Token token = next();
        switch (token.kind()) {
            case NAME -> {
                Value constant = CONSTANTS.get(token.text());
                return constant != null ? new Expr.Constant(constant) : new Expr.Name(used(token.text()));
            }
            case STRING -> {
                StringBuilder value = new StringBuilder(token.text());
                while (current().is(Kind.STRING)) {
                    value.append(next().text());
                }
                return new Expr.Constant(Text.trusted(value.toString()));
            }
            case INTEGER -> {
                return new Expr.Constant(new Int(token.integer()));
            }
            case FLOAT -> {
                return new Expr.Constant(
                        new Real(Double.parseDouble(token.text().replace("_", ""))));
            }
            case OPERATOR -> {
                switch (token.text()) {
                    case "(" -> {
                        Expr inner = tuple(true, true);
                        expectOperator(")");
                        return inner;
                    }
                    case "[" -> {
                        return list();
                    }
                    case "{" -> {
                        return dict();
                    }
                    default -> {}
                }
            }
            default -> {}
        }
        throw new Failure("unexpected " + token.shown());
    }

    private String used(String name) {
        for (Uses uses : functions) {
            switch (name) {
                case "caller" -> uses.caller = true;
                case "varargs" -> uses.varargs = true;
                case "kwargs" -> uses.kwargs = true;
                default -> {}
            }
        }
        return name;
    }

    private Expr list() {
        List<Expr> items = new ArrayList<>();
        while (!current().isOperator("]")) {
            if (!items.isEmpty()) {
                expectOperator(",");
            }
            if (current().isOperator("]")) {
                break;
            }
            items.add(expression());
        }
        expectOperator("]");
        return new Expr.ListOf(items);
    }

    private Expr dict() {
        List<Expr> keys = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!current().isOperator("}")) {
            if (!keys.isEmpty()) {
                expectOperator(",");
            }
            if (current().isOperator("}")) {
                break;
            }
            keys.add(expression());
            expectOperator(":");
            values.add(expression());
        }
        expectOperator("}");
        return new Expr.DictOf(keys, values);
    }

    private void postfix(List<Expr.Link> links) {
        while (true) {
            Token token = current();
            if (token.isOperator(".")) {
                next();
                Token attribute = next();
                if (attribute.is(Kind.NAME)) {
                    links.add(new Expr.Attribute(attribute.text(), token.line()));
                } else if (attribute.is(Kind.INTEGER)) {
                    links.add(new Expr.Item(new Expr.Constant(new Int(attribute.integer())), token.line()));
                } else {
                    throw new Failure("expected a name or number behind '.', found " + attribute.shown());
                }
            } else if (token.isOperator("[")) {
                next();
                links.add(new Expr.Item(subscript(), token.line()));
            } else if (token.isOperator("(")) {
                links.add(new Expr.Call(arguments(), token.line()));
            } else {
                return;
            }
        }
    }

    private void filterLinks(List<Expr.Link> links) {
        while (true) {
            Token token = current();
            if (token.isOperator("|")) {
                next();
                links.add(filter());
            } else if (token.isName("is")) {
                next();
                links.add(test(token.line()));
            } else if (token.isOperator("(")) {
                links.add(new Expr.Call(arguments(), token.line()));
            } else {
                return;
            }
        }
    }

    private List<Expr.Link> filters() {
        List<Expr.Link> filters = new ArrayList<>();
        while (skipOperator("|")) {
            filters.add(filter());
        }
        return filters;
    }

    /** A filter's name and arguments. */
    private Expr.Filter filter() {
        Token token = expect(Kind.NAME, "a filter's name");
        String name = dotted(token.text());
        if (!Filters.exists(name)) {
            unknown.add("there is no filter named '" + name + "'");
        }
        return new Expr.Filter(name, current().isOperator("(") ? arguments() : Expr.Args.NONE, token.line());
    }

    private Expr.Test test(int line) {
        boolean negated = skipName("not");
        String name = dotted(expect(Kind.NAME, "a test's name").text());
        if (!Tests.exists(name)) {
            unknown.add("there is no test named '" + name + "'");
        }
        Token token = current();
        Expr.Args args = Expr.Args.NONE;
        if (token.isOperator("(")) {
            args = arguments();
        } else if (startsArgument(token)) {
            if (token.isName("is")) {
                throw new Failure("tests with 'is' cannot be chained");
            }
            enter();
            Expr head = primary();
            List<Expr.Link> links = new ArrayList<>();
            postfix(links);
            leave();
            args = new Expr.Args(
                    List.of(links.isEmpty() ? head : new Expr.Chain(head, links)), List.of(), List.of(), null, null);
        }
        return new Expr.Test(name, args, negated, line);
    }

    private static boolean startsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }

    private String dotted(String first) {
        StringBuilder name = new StringBuilder(first);
        while (skipOperator(".")) {
            name.append('.').append(expect(Kind.NAME, "a name").text());
        }
        return name.toString();
    }

    private Expr subscript() {
        List<Expr> parts = new ArrayList<>();
        while (!current().isOperator("]")) {
            if (!parts.isEmpty()) {
                expectOperator(",");
            }
            parts.add(subscriptPart());
        }
        expectOperator("]");
        return parts.size() == 1 ? parts.getFirst() : new Expr.TupleOf(parts);
    }

    private Expr subscriptPart() {
        Expr start = null;
        if (!current().isOperator(":")) {
            start = expression();
            if (!current().isOperator(":")) {
                return start;
            }
        }
        next();
        Expr stop = null;
        if (!endsSlicePart() && !current().isOperator(":")) {
            stop = expression();
        }
        Expr step = null;
        if (skipOperator(":") && !endsSlicePart()) {
            step = expression();
        }
        return new Expr.SliceOf(start, stop, step);
    }

    private boolean endsSlicePart() {
        return current().isOperator("]") || current().isOperator(",");
    }

    private Expr.Args arguments() {
        expectOperator("(");
        List<Expr> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expr> named = new ArrayList<>();
        @Nullable Expr starred = null;
        @Nullable Expr doubleStarred = null;
        boolean first = true;
        while (!current().isOperator(")")) {
            if (!first) {
                expectOperator(",");
                if (current().isOperator(")")) {
                    break;
                }
            }
            first = false;
            if (skipOperator("*")) {
                require(starred == null && doubleStarred == null);
                starred = expression();
            } else if (skipOperator("**")) {
                require(doubleStarred == null);
                doubleStarred = expression();
            } else if (current().is(Kind.NAME) && look().isOperator("=")) {
                require(doubleStarred == null);
                String name = next().text();
                next();
                require(!names.contains(name));
                names.add(name);
                named.add(expression());
            } else {
                require(starred == null && doubleStarred == null && named.isEmpty());
                positional.add(expression());
            }
        }
        expectOperator(")");
        return new Expr.Args(positional, names, named, starred, doubleStarred);
    }

    private static void require(boolean valid) {
        if (!valid) {
            throw new Failure("invalid syntax for function call expression");
        }
    }
}

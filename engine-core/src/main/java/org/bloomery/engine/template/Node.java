package org.bloomery.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of the template language. */
sealed interface Node {

    /** The line it begins at. */
    int line();

    /** The template's own text. */
    record Data(Text text, int line) implements Node {}

    /** {@code {{ expression }}}. */
    record Print(Expr expression, int line) implements Node {}

    /** if, elif, else. */
    record If(List<Branch> branches, List<Node> otherwise, int line) implements Node {}

    /** A condition and what it guards. */
    record Branch(Expr test, List<Node> body, int line) {}

    /** for. */
    record For(
            Target target,
            Expr iterable,
            @Nullable Expr test,
            boolean recursive,
            List<Node> body,
            List<Node> otherwise,
            int line)
            implements Node {}

    /** {@code set target = value}. */
    record Assign(Target target, Expr value, int line) implements Node {}

    /** {@code set target|filters} … {@code endset}. */
    record AssignBlock(Target target, List<Expr.Link> filters, List<Node> body, int line) implements Node {}

    /** with. */
    record With(List<Target> targets, List<Expr> values, List<Node> body, int line) implements Node {}

    /** macro. */
    record Macro(Function function, int line) implements Node {}

    /** {@code call(parameters) callee(arguments)} … {@code endcall}. */
    record CallBlock(Expr head, List<Expr.Link> links, Expr.Args args, Function body, int line) implements Node {}

    /**
     * Parameters and body of a macro or call block.
     *
     * @param defaults one an optional parameter, for the last parameters
     */
    record Function(
            String name,
            List<String> parameters,
            List<Expr> defaults,
            List<Node> body,
            boolean usesCaller,
            boolean usesVarargs,
            boolean usesKwargs) {}

    /** {@code filter name} … {@code endfilter}. */
    record FilterBlock(List<Expr.Link> filters, List<Node> body, int line) implements Node {}

    /** A body with variables of its own: generation, autoescape false. */
    record Scoped(List<Node> body, int line) implements Node {}

    /** block: sees the template's variables only, not those of loops around it. */
    record Block(List<Node> body, boolean scoped, int line) implements Node {}

    /** break. */
    record Break(int line) implements Node {}

    /** continue. */
    record Continue(int line) implements Node {}

    /** What needs other templates, and so fails when it is reached. */
    record Refused(String message, int line) implements Node {}

    /** What can be assigned to. */
    sealed interface Target {}

    /** A variable. */
    record Variable(String name) implements Target {}

    /** An attribute of a namespace. */
    record NamespaceAttribute(String namespace, String attribute) implements Target {}

    /** Several at once. */
    record Unpack(List<Target> targets) implements Target {}
}

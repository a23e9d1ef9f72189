package org.bloomery.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of the template language. */
sealed interface Expr {

    /** A literal. */
    record Constant(Value value) implements Expr {}

    /** A variable. */
    record Name(String name) implements Expr {}

    /** {@code a ~ b ~ c}. */
    record Concat(List<Expr> parts) implements Expr {}

    /** Binary operators of one precedence, from left to right. */
    record Arithmetic(Expr first, List<Operand> rest) implements Expr {}

    /** An operator with what follows it. */
    record Operand(String operator, Expr right, int line) {}

    /** {@code a or b or c}. */
    record Or(List<Expr> parts) implements Expr {}

    /** {@code a and b and c}. */
    record And(List<Expr> parts) implements Expr {}

    /** {@code not a}. */
    record Not(Expr operand) implements Expr {}

    /** {@code a < b in c}: every neighbouring pair must hold. */
    record Compare(Expr first, List<Operand> rest) implements Expr {}

    /** {@code -a} or {@code +a}. */
    record Sign(boolean negative, Expr operand) implements Expr {}

    /** {@code yes if test else no}. */
    record Conditional(Expr test, Expr yes, @Nullable Expr no) implements Expr {}

    /** An expression and what is done to it: {@code a.b[c](d)|e is f}. */
    record Chain(Expr head, List<Link> links) implements Expr {}

    /** {@code [a, b]}. */
    record ListOf(List<Expr> items) implements Expr {}

    /** {@code (a, b)}. */
    record TupleOf(List<Expr> items) implements Expr {}

    /** {@code {a: b}}. */
    record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

    /** {@code a:b:c} between brackets. */
    record SliceOf(
            @Nullable Expr start,
            @Nullable Expr stop,
            @Nullable Expr step) implements Expr {}

    /** What follows an expression. */
    sealed interface Link {
        int line();
    }

    /** {@code .name}. */
    record Attribute(String name, int line) implements Link {}

    /** {@code [index]}. */
    record Item(Expr index, int line) implements Link {}

    /** {@code (arguments)}. */
    record Call(Args args, int line) implements Link {}

    /** {@code |name(arguments)}. */
    record Filter(String name, Args args, int line) implements Link {}

    /** {@code is name arguments}. */
    record Test(String name, Args args, boolean negated, int line) implements Link {}

    /** The arguments of a call as written. */
    record Args(
            List<Expr> positional,
            List<String> names,
            List<Expr> named,
            @Nullable Expr starred,
            @Nullable Expr doubleStarred) {
        static final Args NONE = new Args(List.of(), List.of(), List.of(), null, null);
    }
}

package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * A description as rules over bytes.
 *
 * @param rules the first is the language
 * @param names of the rules, for errors
 * @param budget what is left for turning them into a network
 */
record Rules(List<Expr> rules, List<String> names, Budget budget) {

    static Rules of(Expr expr, String name, Budget budget) {
        return new Rules(List.of(expr), List.of(name), budget);
    }

    /** These rules and others behind them, whose numbers grow by the number of these. */
    Rules with(Rules others) {
        List<Expr> all = new ArrayList<>(rules);
        others.rules.forEach(rule -> all.add(shifted(rule, rules.size())));
        List<String> allNames = new ArrayList<>(names);
        allNames.addAll(others.names);
        return new Rules(all, allNames, budget);
    }

    private static Expr shifted(Expr expr, int by) {
        return switch (expr) {
            case Expr.Literal literal -> literal;
            case Expr.Chars chars -> chars;
            case Expr.Text text -> text;
            case Expr.Sequence sequence ->
                new Expr.Sequence(
                        sequence.parts().stream().map(part -> shifted(part, by)).toList());
            case Expr.Choice choice ->
                new Expr.Choice(choice.alternatives().stream()
                        .map(each -> shifted(each, by))
                        .toList());
            case Expr.Repeat repeat -> new Expr.Repeat(shifted(repeat.body(), by), repeat.least(), repeat.most());
            case Expr.Rule rule -> new Expr.Rule(rule.number() + by);
            case Expr.Members list -> {
                Expr more = list.more();
                yield new Expr.Members(
                        list.members().stream()
                                .map(each -> new Expr.Member(shifted(each.expr(), by), each.required()))
                                .toList(),
                        shifted(list.separator(), by),
                        more == null ? null : shifted(more, by),
                        list.most(),
                        list.some());
            }
        };
    }
}

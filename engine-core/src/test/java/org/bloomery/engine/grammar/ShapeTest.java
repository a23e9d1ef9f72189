package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShapeTest {

    private static final String SEARCH = """
            {"type":"object","properties":{
               "query":{"type":"string","maxLength":20},
               "limit":{"type":"integer","minimum":1,"maximum":50},
               "order":{"enum":["new","old"]},
               "tags":{"type":"array","items":{"$ref":"#/$defs/tag"}}},
             "required":["query"],"$defs":{"tag":{"type":"string","pattern":"^[a-z]+$"}}}""";

    private static final Shape.Layout TAGGED = new Shape.Layout(
            Shape.text("<parameter="),
            Shape.text(">\n"),
            Shape.text("\n</parameter>"),
            Shape.text(">\n"),
            Shape.text("\n</parameter>"),
            Shape.text("\n"),
            Shape.anyOf(List.of("</parameter>", "<parameter=")),
            false);

    private static final Shape.Layout KEYWORDS = new Shape.Layout(
            Shape.NOTHING,
            Shape.text("='"),
            Shape.text("'"),
            Shape.text("="),
            Shape.NOTHING,
            Shape.sequence(Shape.text(","), Shape.SPACE),
            "['\\\\\\n]",
            true);

    private static boolean matches(Shape shape, String text) {
        return Grammar.of(null, shape).matches(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Shape arguments(Shape.Layout layout) {
        return new Shape.Arguments(SEARCH, "The schema of tool 'search'", layout);
    }

    @Test
    void taggedArgumentsKeepToTheSchema() {
        Shape shape = arguments(TAGGED);
        assertThat(matches(shape, "<parameter=query>\na \"b\" <c>\n</parameter>"))
                .isTrue();
        assertThat(matches(
                        shape,
                        "<parameter=query>\nx\n</parameter>\n<parameter=limit>\n50\n</parameter>\n<parameter=order>\nold\n</parameter>"
                                + "\n<parameter=tags>\n[\"a\", \"b\"]\n</parameter>"))
                .isTrue();
        assertThat(matches(shape, "<parameter=limit>\n5\n</parameter>"))
                .as("query is required")
                .isFalse();
        assertThat(matches(shape, "<parameter=query>\nx\n</parameter>\n<parameter=limit>\n51\n</parameter>"))
                .isFalse();
        assertThat(matches(shape, "<parameter=query>\nx\n</parameter>\n<parameter=order>\nnone\n</parameter>"))
                .isFalse();
        assertThat(matches(shape, "<parameter=query>\n123456789012345678901\n</parameter>"))
                .as("longer than 20")
                .isFalse();
        assertThat(matches(shape, "<parameter=quarry>\nx\n</parameter>")).isFalse();
    }

    @Test
    void keywordArgumentsHaveStringsOfBothKinds() {
        Shape shape = arguments(KEYWORDS);
        assertThat(matches(shape, "query=\"a \\\"b\\\"\", limit=5")).isTrue();
        assertThat(matches(shape, "query='a \"b\"', limit=5")).isTrue();
        assertThat(matches(shape, "query=a")).isFalse();
        assertThat(matches(shape, "query='a'b'")).isFalse();
    }

    @Test
    void stringsBetweenMarksHaveNoEscapes() {
        Shape shape = new Shape.Json(SEARCH, "The schema of tool 'search'", "<|\"|>");
        String object =
                "{query:<|\"|>a \"b\" \\n<|\"|>,limit:5,order:<|\"|>new<|\"|>,tags:[<|\"|>x<|\"|>, <|\"|>y<|\"|>]}";
        assertThat(matches(shape, object)).isTrue();
        assertThat(matches(shape, object.replace("5", "51"))).isFalse();
        assertThat(matches(shape, object.replace("new", "\"new\""))).isFalse();
        assertThat(matches(shape, object.replace("y", "Y"))).isFalse();
        assertThat(matches(shape, "{query:\"a\"}")).isFalse();
    }

    @Test
    void marksAreTextOrTheirControlToken() {
        Shape shape = Shape.sequence(Shape.mark("[ARGS]"), Shape.text("x"));
        byte[] control = ShapeCompiler.control("[ARGS]");
        byte[] whole = new byte[control.length + 1];
        System.arraycopy(control, 0, whole, 0, control.length);
        whole[control.length] = 'x';
        assertThat(Grammar.of(null, shape).matches(whole)).isTrue();
        assertThat(matches(shape, "[ARGS]x")).isTrue();
        assertThat(Grammar.of(null, Shape.without(List.of("never"))).matches(control))
                .as("free text holds no control token")
                .isFalse();
    }

    @Test
    void aBrokenSchemaIsNamed() {
        Shape shape = new Shape.Json("{\"type\":\"objekt\"}", "The schema of tool 'search'", null);
        assertThatThrownBy(() -> Grammar.of(null, shape))
                .isInstanceOf(GrammarException.class)
                .hasMessageStartingWith("The schema of tool 'search' ")
                .hasMessageContaining("#/type");
    }

    @Test
    void knowsTheTypesOfValues() {
        PropertyTypes types = PropertyTypes.of("""
                {"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"#/$defs/s"},"c":{"enum":[1,"x"]},
                  "d":{"type":["string","null"]},"e":{},"f":{"type":"array","items":{"properties":{"g":{"type":"boolean"}}}}},
                 "additionalProperties":{"type":"number"},"$defs":{"s":{"type":"string"}}}""");
        assertThat(types.of(List.of("a"))).containsExactly("number");
        assertThat(types.of(List.of("b"))).containsExactly("string");
        assertThat(types.of(List.of("c"))).containsExactly("number", "string");
        assertThat(types.of(List.of("d"))).containsExactly("null", "string");
        assertThat(types.of(List.of("e"))).isEmpty();
        assertThat(types.of(List.of("f", PropertyTypes.ITEM, "g"))).containsExactly("boolean");
        assertThat(types.of(List.of("other"))).containsExactly("number");
    }
}

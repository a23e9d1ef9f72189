package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.chat.ChatMessage;

/**
 * Blocks an answer that repeats the request's own system messages: as soon as {@value #WORDS} words follow one another as
 * they do there, whatever stands between them and in whatever case. A system message of fewer words counts as a whole if it
 * has at least {@value #LEAST_WORDS}. It knows words, not meanings: a translation or a paraphrase passes.
 */
public final class SystemPromptGuard implements OutputGuard, Bounded {

    /** How many words in a row are a repetition. */
    static final int WORDS = 8;

    /** The shortest system message that is looked for. */
    static final int LEAST_WORDS = 4;

    /** More of a word than this says nothing. */
    private static final int LONGEST_WORD = 64;

    @Override
    public String name() {
        return "system-prompt";
    }

    @Override
    public Check begin(GenerationRequest request) {
        Set<List<String>> runs = new HashSet<>();
        if (request instanceof ChatRequest chat) {
            chat.messages().stream()
                    .filter(message -> message.role() == ChatMessage.Role.SYSTEM)
                    .forEach(message -> runs.addAll(runs(words(message.content()), WORDS)));
        } else if (request instanceof CompletionRequest) {
            return (window, last) -> Verdict.ALLOW;
        }
        if (runs.isEmpty()) {
            return (window, last) -> Verdict.ALLOW;
        }
        List<Integer> lengths = runs.stream().map(List::size).distinct().toList();
        return (window, last) -> {
            List<String> words = words(window);
            for (int length : lengths) {
                for (int i = 0; i + length <= words.size(); i++) {
                    if (runs.contains(words.subList(i, i + length))) {
                        return Verdict.block("system-prompt-leak");
                    }
                }
            }
            return Verdict.ALLOW;
        };
    }

    private static Set<List<String>> runs(List<String> words, int wanted) {
        Set<List<String>> runs = new HashSet<>();
        int length = Math.min(wanted, words.size());
        if (length >= LEAST_WORDS) {
            for (int i = 0; i + length <= words.size(); i++) {
                runs.add(List.copyOf(words.subList(i, i + length)));
            }
        }
        return runs;
    }

    /** Runs of letters and digits, in lower case; of other scripts' characters, which need no spaces, each one. */
    static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (Character.isLetterOrDigit(c) && !Character.isIdeographic(c)) {
                if (word.length() < LONGEST_WORD) {
                    word.appendCodePoint(Character.toLowerCase(c));
                }
                return;
            }
            if (!word.isEmpty()) {
                words.add(word.toString());
                word.setLength(0);
            }
            if (Character.isIdeographic(c)) {
                words.add(Character.toString(c));
            }
        });
        if (!word.isEmpty()) {
            words.add(word.toString());
        }
        return words;
    }
}

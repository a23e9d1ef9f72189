package org.bloomery.engine.format;

/** Names out of a foreign file made fit for a message: quoted, on one line, and no longer than a line. */
public final class Quoted {

    private static final int LONGEST = 80;

    private Quoted() {}

    /** The name between quotes, what is not printable in it replaced. */
    public static String of(String name) {
        StringBuilder quoted = new StringBuilder("'");
        for (int i = 0; i < name.length(); i++) {
            if (i == LONGEST) {
                return quoted.append("…' (")
                        .append(name.length())
                        .append(" characters)")
                        .toString();
            }
            char c = name.charAt(i);
            boolean printable = Character.isLetterOrDigit(c) || (c >= ' ' && c < 127);
            quoted.append(printable ? c : '?');
        }
        return quoted.append('\'').toString();
    }
}

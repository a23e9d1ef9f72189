package org.bloomery.engine.template;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** datetime.strftime in the C locale, with the flags of glibc ({@code %-d}); a time without zone. */
final class Strftime {

    private Strftime() {}

    static Text format(Text format, LocalDateTime time, Fuel fuel) {
        String pattern = format.chars();
        fuel.work(pattern.length());
        Text.Builder out = new Text.Builder();
        int done = 0;
        for (int i = pattern.indexOf('%'); i >= 0 && i + 1 < pattern.length(); i = pattern.indexOf('%', done)) {
            int at = i + 1;
            char flag = 0;
            while (at < pattern.length() && "-_0^#".indexOf(pattern.charAt(at)) >= 0) {
                flag = pattern.charAt(at++);
            }
            String text = at < pattern.length() ? directive(pattern.charAt(at), flag, time) : "";
            out.append(format, done, i);
            if (text.isEmpty() && !(at < pattern.length() && "zZ".indexOf(pattern.charAt(at)) >= 0)) {
                out.append(format, i, Math.min(at + 1, pattern.length()));
            } else {
                out.append(flag == '^' ? text.toUpperCase(Locale.ROOT) : text, format.trusted());
            }
            done = Math.min(at + 1, pattern.length());
            fuel.checkText(out.length());
        }
        return out.append(format, done, pattern.length()).build();
    }

    private static String directive(char directive, char flag, LocalDateTime t) {
        int hour12 = t.getHour() % 12 == 0 ? 12 : t.getHour() % 12;
        int weekday = t.getDayOfWeek().getValue() % 7;
        return switch (directive) {
            case 'a' -> t.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' -> t.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'B' -> t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'c' -> all(t, "%a %b %e %H:%M:%S %Y");
            case 'C' -> number(t.getYear() / 100, 2, flag);
            case 'd' -> number(t.getDayOfMonth(), 2, flag);
            case 'D', 'x' -> all(t, "%m/%d/%y");
            case 'e' -> number(t.getDayOfMonth(), 2, flag == 0 ? '_' : flag);
            case 'f' -> number(t.getNano() / 1000, 6, (char) 0);
            case 'F' -> all(t, "%Y-%m-%d");
            case 'g' -> number(t.get(IsoFields.WEEK_BASED_YEAR) % 100, 2, flag);
            case 'G' -> number(t.get(IsoFields.WEEK_BASED_YEAR), 4, flag);
            case 'H' -> number(t.getHour(), 2, flag);
            case 'I' -> number(hour12, 2, flag);
            case 'j' -> number(t.getDayOfYear(), 3, flag);
            case 'k' -> number(t.getHour(), 2, flag == 0 ? '_' : flag);
            case 'l' -> number(hour12, 2, flag == 0 ? '_' : flag);
            case 'm' -> number(t.getMonthValue(), 2, flag);
            case 'M' -> number(t.getMinute(), 2, flag);
            case 'n' -> "\n";
            case 'p' -> {
                String half = t.getHour() < 12 ? "AM" : "PM";
                yield flag == '#' ? half.toLowerCase(Locale.ROOT) : half;
            }
            case 'P' -> t.getHour() < 12 ? "am" : "pm";
            case 'r' -> all(t, "%I:%M:%S %p");
            case 'R' -> all(t, "%H:%M");
            case 's' -> Long.toString(t.toEpochSecond(java.time.ZoneOffset.UTC));
            case 'S' -> number(t.getSecond(), 2, flag);
            case 't' -> "\t";
            case 'T', 'X' -> all(t, "%H:%M:%S");
            case 'u' -> Integer.toString(t.getDayOfWeek().getValue());
            case 'U' -> number((t.getDayOfYear() + 6 - weekday) / 7, 2, flag);
            case 'V' -> number(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, flag);
            case 'w' -> Integer.toString(weekday);
            case 'W' -> number((t.getDayOfYear() + 6 - (weekday + 6) % 7) / 7, 2, flag);
            case 'y' -> number(t.getYear() % 100, 2, flag);
            case 'Y' -> number(t.get(ChronoField.YEAR), 4, flag == 0 ? '-' : flag);
            case '%' -> "%";
            default -> "";
        };
    }

    private static String all(LocalDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            out.append(format.charAt(i) == '%' ? directive(format.charAt(++i), (char) 0, time) : format.charAt(i));
        }
        return out.toString();
    }

    private static String number(int value, int width, char flag) {
        String digits = Integer.toString(value);
        String fill = flag == '-' ? "" : flag == '_' ? " " : "0";
        return fill.repeat(Math.max(0, width - digits.length())) + digits;
    }
}

package org.bloomery.spring.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.tool.annotation.Tool;

/** One tool, with results of every shape. */
final class WeatherReports {

    private static final String DESCRIPTION = "Get the current weather for a city";

    private WeatherReports() {}

    record Reading(String city, int temperature, String conditions) {}

    static final class Text {
        @Tool(description = DESCRIPTION)
        String getWeather(String city) {
            return "sunny, 21 degrees";
        }
    }

    static final class OfRecord {
        @Tool(description = DESCRIPTION)
        Reading getWeather(String city) {
            return new Reading(city, 21, "sunny");
        }
    }

    static final class OfMap {
        @Tool(description = DESCRIPTION)
        Map<String, Object> getWeather(String city) {
            return Map.of("conditions", "sunny");
        }
    }

    static final class OfList {
        @Tool(description = DESCRIPTION)
        List<Reading> getWeather(String city) {
            return List.of(new Reading(city, 21, "sunny"));
        }
    }

    static final class OfNull {
        @Tool(description = DESCRIPTION)
        @Nullable
        String getWeather(String city) {
            return null;
        }
    }

    static final class Nothing {
        @Tool(description = DESCRIPTION)
        void getWeather(String city) {}
    }

    static final class Failing {
        @Tool(description = DESCRIPTION)
        String getWeather(String city) {
            if (!city.isEmpty()) {
                throw new IllegalStateException("no station in " + city);
            }
            return "sunny";
        }
    }

    static final class Direct {
        @Tool(description = DESCRIPTION, returnDirect = true)
        String getWeather(String city) {
            return "See for yourself in " + city;
        }
    }
}

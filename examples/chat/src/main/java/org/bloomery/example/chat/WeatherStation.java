package org.bloomery.example.chat;

import static java.util.Map.entry;

import java.util.Map;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;
import org.springframework.stereotype.Component;

/** Knows the weather of some cities; the data are invented. Stands for whatever your application knows. */
@Component
class WeatherStation {

    /**
     * @param city the city, as it was asked for
     * @param temperature degrees Celsius
     * @param conditions one or a few words
     */
    record Weather(String city, int temperature, String conditions) {}

    private record Reading(int temperature, String conditions) {}

    private static final Map<String, Reading> READINGS = Map.ofEntries(
            entry("Athens", new Reading(27, "sunny")),
            entry("Berlin", new Reading(14, "cloudy")),
            entry("Boston", new Reading(9, "windy")),
            entry("Brussels", new Reading(12, "rainy")),
            entry("Cairo", new Reading(33, "hot")),
            entry("Chicago", new Reading(3, "windy")),
            entry("Copenhagen", new Reading(10, "windy")),
            entry("Dublin", new Reading(11, "rainy")),
            entry("Geneva", new Reading(15, "clear")),
            entry("Hamburg", new Reading(11, "foggy")),
            entry("Helsinki", new Reading(-4, "snowy")),
            entry("Krakow", new Reading(8, "cloudy")),
            entry("Lima", new Reading(19, "foggy")),
            entry("Lisbon", new Reading(21, "sunny")),
            entry("London", new Reading(12, "rainy")),
            entry("Madrid", new Reading(24, "clear")),
            entry("Miami", new Reading(29, "stormy")),
            entry("Milan", new Reading(17, "foggy")),
            entry("Munich", new Reading(13, "clear")),
            entry("Nairobi", new Reading(22, "mild")),
            entry("Oslo", new Reading(-2, "snowy")),
            entry("Ottawa", new Reading(-6, "cold")),
            entry("Paris", new Reading(16, "cloudy")),
            entry("Porto", new Reading(18, "windy")),
            entry("Rome", new Reading(23, "sunny")),
            entry("Seattle", new Reading(9, "rainy")),
            entry("Stockholm", new Reading(1, "cold")),
            entry("Sydney", new Reading(25, "sunny")),
            entry("Tokyo", new Reading(18, "clear")),
            entry("Toronto", new Reading(2, "snowy")),
            entry("Vienna", new Reading(15, "mild")),
            entry("Warsaw", new Reading(7, "cloudy")),
            entry("Zurich", new Reading(12, "foggy")));

    /** A city without a station has an ordinary day. */
    private static final Reading ELSEWHERE = new Reading(15, "mild");

    @Tool(description = "Get the current weather for a city")
    Weather getWeather(@ToolParam(description = "the city") String city) {
        Reading reading = READINGS.getOrDefault(city, ELSEWHERE);
        return new Weather(city, reading.temperature(), reading.conditions());
    }
}

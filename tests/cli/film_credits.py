"""Credits of seven films, as bokeh-sampledata has them."""

import pandas as pd

CREDITS = pd.DataFrame(
    [
        ("The Matrix", 1999, "Lana Wachowski", "Keanu Reeves, Carrie-Anne Moss", 900),
        ("Il postino", 1994, "Michael Radford", "Philippe Noiret", 50),
        ("Hero", 1992, "Stephen Frears", "Dustin Hoffman", 20),
        ("Black Rain", 1989, "Shôhei Imamura", "Yoshiko Tanaka", 3),
        ("Black Rain", 1989, "Ridley Scott", "Michael Douglas", 30),
        ("Amélie & Me", 2001, "", "Audrey Tautou", 7),
        ("???", 2000, "Nobody", None, 1),
    ],
    columns=["title", "year", "director", "cast", "votes"],
)

"""The games that play themselves here, and the levels that are recorded of each.

All levels of an engine are in one role, so that the test engine is one never trained on.
"""

from __future__ import annotations

from .doom import play_doom
from .engine import Engine
from .nexuiz import play_nexuiz
from .openarena import play_openarena

DOOM = Engine(
    name="doom",
    role="train",
    package="vizdoom",
    licence="BSD-3-Clause",  # Freedoom's; the engine's own does not bear on its pictures
    levels=tuple(
        f"map{number:02}" for number in (1, 2, 4, 6, 7, 9, 11, 12, 15, 18, 3, 5, 8, 13, 16, 20)
    ),
    play=play_doom,
)
OPENARENA = Engine(
    name="openarena",
    role="train",
    package="openarena",
    licence="GPL-2.0-or-later",
    levels=(
        *("oa_dm1", "oa_dm4", "aggressor", "oa_rpg3dm2", "oa_shouse", "kaos2", "suspended"),
        *("delta", "oa_minia", "dm6ish", "czest1dm", "sleekgrinder", "hydronex2", "slimefac"),
        *("wrackdm17", "fan"),
    ),
    play=play_openarena,
)
NEXUIZ = Engine(
    name="nexuiz",
    role="test",
    package="nexuiz-data",
    licence="GPL-2.0-or-later",
    levels=(
        *("aggressor", "basement", "bluesky", "darkzone", "desertfactory", "evilspace"),
        *("runningman", "stormkeep", "warfare", "bloodprison", "dieselpower", "downer", "ruiner"),
        *("silvercity", "slimepit", "soylent"),
    ),
    play=play_nexuiz,
)
ENGINES = (NEXUIZ, DOOM, OPENARENA)

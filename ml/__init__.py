"""The multimodal library: which product of a catalogue a picture and a title show. Knows nothing of Django.

Importing the package loads no torch; the modules that compute do.
"""

import os

# Torch's threads spin while they wait for each other. With a neighbour on the machine (a web server, another worker)
# that costs far more than it saves: at a load of 5 on two cores, 39 to 167 ms a picture spinning, 6 to 17 asleep.
# Read once, when torch is loaded; whoever has set it knows better.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

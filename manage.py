#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys

from mmproject.environment import load_state


def main() -> None:
    load_state()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmproject.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

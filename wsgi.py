"""The WSGI entry point."""

import sys

from coalition.app import create_app
from coalition.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"coalition: {error}")

"""The WSGI entry point."""

import os
import sys

from coalition.app import create_app
from coalition.settings import SettingsError
from coalition.web.logs import LOG_FORMAT_VARIABLE, set_up_logs

set_up_logs(os.environ.get(LOG_FORMAT_VARIABLE))
try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"coalition: {error}")

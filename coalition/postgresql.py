"""How long a PostgreSQL server may say nothing until it counts as away.

Without these, a server that is cut off holds each request for as long as the network does, which
is minutes.
"""

CONNECT_PATIENCE = 3  # seconds, for a new connection
SILENCE = 10  # seconds, on an open one
PATIENCE = {  # as libpq is told
    "connect_timeout": CONNECT_PATIENCE,
    "tcp_user_timeout": SILENCE * 1000,
    "keepalives_idle": SILENCE // 2,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}

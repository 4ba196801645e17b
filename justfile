# What CI does.
check:
    .ci/run

# Refresh goldens, generated docs and schemas.
bless:
    BLESS=1 cargo test

# Install the Python package into a fresh environment and test it.
python:
    python/check

# Kernel benches.
bench *ARGS:
    cargo bench {{ARGS}}

# What CI does.
check:
    .ci/run

# Refresh goldens, generated docs and schemas.
bless:
    BLESS=1 cargo test

# Kernel benches.
bench *ARGS:
    cargo bench {{ARGS}}

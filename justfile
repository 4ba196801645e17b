# What CI does.
check:
    .ci/run

# Refresh goldens, generated docs and schemas.
bless:
    BLESS=1 cargo test

# Install the Python package into a fresh environment and test it.
python:
    python/check

# Time lyncean beside OpenCV and scikit-image, in one process, in a fresh environment: `just peers --readme README.md`.
peers *ARGS:
    python3 -m venv --clear target/peers
    CARGO_TARGET_DIR="$PWD/target" target/peers/bin/pip install --quiet --disable-pip-version-check ./python opencv-python-headless==4.14.0.94 scikit-image
    target/peers/bin/python benches/peers/operations.py {{ARGS}}

# Kernel benches.
bench *ARGS:
    cargo bench {{ARGS}}

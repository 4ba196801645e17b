//! All integration tests, in one binary.
mod cascade_opencv;

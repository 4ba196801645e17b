//! All integration tests, in one binary.

mod regions_opencv;

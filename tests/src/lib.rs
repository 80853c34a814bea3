//! Whole-family tests: see the test targets of this package.

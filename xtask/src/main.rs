//! The gate. fn main.
fn main() {}

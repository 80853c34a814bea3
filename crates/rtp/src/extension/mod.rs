//! The typed header extensions: one file each, with its URI, parse and write.

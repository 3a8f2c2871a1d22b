//! The interface of `malachite-bigint` that the compiler crates use, served by `num-bigint`.
pub use num_bigint::*;

pub mod capi;
pub mod config;

//! The C library's functions that Rust's `f64` lacks or computes otherwise.

macro_rules! functions {
    ($($name:ident($($argument:ident),*);)*) => {
        unsafe extern "C" {
            $(pub safe fn $name($($argument: f64),*) -> f64;)*
        }
    };
}

functions! {
    acos(x); acosh(x); asin(x); asinh(x); atan(x); atanh(x); atan2(y, x); cbrt(x); cos(x); cosh(x); erf(x); erfc(x); exp(x);
    exp2(x); expm1(x); fma(x, y, z); fmod(x, y); hypot(x, y); log(x); log10(x); log1p(x); log2(x); nextafter(x, y); pow(x, y);
    remainder(x, y); sin(x); sinh(x); sqrt(x); tan(x); tanh(x);
}

//! `_statistics`: the inverse of the normal distribution's cumulative function.
//!
//! Wichura's algorithm AS 241 (Applied Statistics 37, 1988): three quotients of polynomials of degree 7, for the centre, the
//! sides and the tails. Coefficients stand highest power first.

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_statistics",
    doc: "Accelerators for the statistics module.\n",
    methods: &[MethodDef::positional(
        "_normal_dist_inv_cdf",
        normal_dist_inv_cdf,
        "_normal_dist_inv_cdf($module, p, mu, sigma, /)\n--\n\n",
    )],
    ..ModuleSpec::EMPTY
};

/// Within 0.425 of the median.
const CENTRE_NUMERATOR: [f64; 8] = [
    2509.0809287301227,
    33430.57558358813,
    67265.7709270087,
    45921.95393154987,
    13731.69376550946,
    1971.5909503065513,
    133.14166789178438,
    3.3871328727963665,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    5226.495278852854,
    28729.085735721943,
    39307.89580009271,
    21213.794301586597,
    5394.196021424751,
    687.1870074920579,
    42.31333070160091,
    1.0,
];
/// Further out, while sqrt(-log p) is at most 5.
const SIDE_NUMERATOR: [f64; 8] = [
    0.0007745450142783414,
    0.022723844989269184,
    0.2417807251774506,
    1.2704582524523684,
    3.6478483247632045,
    5.769497221460691,
    4.630337846156546,
    1.4234371107496835,
];
const SIDE_DENOMINATOR: [f64; 8] = [
    1.0507500716444169e-9,
    0.0005475938084995345,
    0.015198666563616457,
    0.14810397642748008,
    0.6897673349851,
    1.6763848301838038,
    2.053191626637759,
    1.0,
];
/// Beyond.
const TAIL_NUMERATOR: [f64; 8] = [
    2.0103343992922881e-7,
    2.7115555687434876e-5,
    0.0012426609473880784,
    0.026532189526576124,
    0.29656057182850487,
    1.7848265399172913,
    5.463784911164114,
    6.657904643501103,
];
const TAIL_DENOMINATOR: [f64; 8] = [
    2.0442631033899397e-15,
    1.421511758316446e-7,
    1.8463183175100548e-5,
    0.0007868691311456133,
    0.014875361290850615,
    0.1369298809227358,
    0.599832206555888,
    1.0,
];

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    // Not fused: the results are those of separate steps.
    coefficients[1..].iter().fold(coefficients[0], |sum, coefficient| sum * x + coefficient)
}

/// The value below which a standard normal variable lies with probability `p`.
fn standard(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return polynomial(&CENTRE_NUMERATOR, r) * q / polynomial(&CENTRE_DENOMINATOR, r);
    }
    let r = (-(if q <= 0.0 { p } else { 1.0 - p }).ln()).sqrt();
    let x = if r <= 5.0 {
        let r = r - 1.6;
        polynomial(&SIDE_NUMERATOR, r) / polynomial(&SIDE_DENOMINATOR, r)
    } else {
        let r = r - 5.0;
        polynomial(&TAIL_NUMERATOR, r) / polynomial(&TAIL_DENOMINATOR, r)
    };
    if q < 0.0 { -x } else { x }
}

fn normal_dist_inv_cdf(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_normal_dist_inv_cdf", args.len(), 3, 3)?;
    let p = protocol::as_f64(ts, args[0])?;
    let mu = protocol::as_f64(ts, args[1])?;
    let sigma = protocol::as_f64(ts, args[2])?;
    if p <= 0.0 || p >= 1.0 {
        return raise!(ts, exc::ValueError, "inv_cdf undefined for these parameters");
    }
    PyFloat::new(ts, mu + standard(p) * sigma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_three_ranges_gives_known_quantiles() {
        assert_eq!(standard(0.5), 0.0);
        for (p, x) in [(0.975, 1.959963984540054), (1e-3, -3.090232306167813), (1e-20, -9.262340089798409)] {
            assert!((standard(p) - x).abs() < 1e-14 * x.abs(), "{p}: {} is not {x}", standard(p));
        }
    }
}

//! Every allocation of the configuration fails once: the result is an out-of-memory status, what was there
//! stays valid, and nothing is left behind.
//!
//! A process of its own, because the injected failures and the live-block count are process-wide.

use std::ffi::CStr;

use hognose::config::args::BytesArg;
use hognose::config::config::{set_bytes_string, set_list};
use hognose::config::locale::{Encoding, decode_as, encode_as};
use hognose::config::{Args, ConfigKind, PyConfig, PyPreConfig, PyStatus, StatusResult, WideString, preinitialize};
use hognose_allocators::{fault, raw_stats};

/// Runs `work` with the n-th allocation failing, for every n until none fails; gives how many there were.
fn fail_each(work: impl Fn() -> StatusResult) -> u64 {
    let before = raw_stats().live_blocks;
    for n in 1.. {
        fault::arm(Some(n));
        let result = work();
        let fired = fault::fired();
        fault::disarm();
        assert_eq!(raw_stats().live_blocks, before, "blocks were left after failure {n}");
        if !fired {
            result.unwrap();
            return n - 1;
        }
        let status: PyStatus = result.unwrap_err();
        assert_eq!(status.message(), Some(c"memory allocation failed"), "failure {n}");
    }
    unreachable!()
}

fn args(args: &[&'static CStr]) -> Vec<BytesArg<'static>> {
    args.iter().map(|arg| BytesArg::new(arg)).collect()
}

#[test]
fn every_allocation_may_fail() {
    // The rest of the test reads no variable of the environment that it runs in.
    let mut pre = PyPreConfig::new(ConfigKind::Isolated);
    pre.parse_argv = 1;
    let count = fail_each(|| {
        preinitialize(&pre, Args::NONE)?;
        hognose::config::forget_preinitialization();
        Ok(())
    });
    assert_eq!(count, 0, "pre-initialization allocates nothing");
    preinitialize(&pre, Args::NONE).unwrap();

    let command = args(&[c"p", c"-Xa=1", c"-Xpycache_prefix=/p", c"-bW", c"error", c"-c", c"pass", c"x"]);
    let script = args(&[c"p", c"--check-hash-based-pycs", c"never", c"a.py", c"x"]);
    for arguments in [&command, &script] {
        let count = fail_each(|| {
            let mut config = PyConfig::new(ConfigKind::Isolated);
            config.parse_argv = 1;
            config.dev_mode = 1;
            config.set_argv(Args::Bytes(arguments))?;
            config.read()?;
            config.compute_paths()?;
            config.compute_sys_path_0()?;
            Ok(())
        });
        assert!(count > 30, "{count} allocations");
    }

    let mut config = PyConfig::new(ConfigKind::Python);
    config.home = WideString::from_text("/h").unwrap();
    config.warnoptions.push(WideString::from_text("w").unwrap()).unwrap();
    config.argv.push(WideString::from_text("a").unwrap()).unwrap();
    assert_eq!(fail_each(|| config.try_clone().map(drop)), 5);

    fail_each(|| {
        let mut field = WideString::from_text("old")?;
        let result = set_bytes_string(&mut field, Some(b"new"));
        assert!(field.is(if result.is_ok() { "new" } else { "old" }));
        result
    });
    fail_each(|| {
        let mut copy = config.warnoptions.try_clone()?;
        let before = copy.len();
        let result = copy.insert(0, &[0x61]);
        assert_eq!(copy.len(), before + usize::from(result.is_ok()));
        let result = result.and_then(|()| set_list(&mut copy, Args::Bytes(&script)));
        assert!(result.is_ok() || copy.len() <= 2);
        // The function's name is a matter of the unit tests.
        result.map_err(|_| PyStatus::no_memory())
    });
    for encoding in [Encoding::Utf8, Encoding::Ascii, Encoding::Library] {
        fail_each(|| {
            let text = decode_as(encoding, b"a\xFFbc")?;
            encode_as(encoding, text.as_slice()).map(drop).map_err(Into::into)
        });
    }
}

//! The `Py_*Flag` variables of C: read by compat configurations only, and written back.
//!
//! A process of its own, because the variables are process-wide.

use std::sync::atomic::Ordering::Relaxed;

use hognose::config::{ConfigKind, PyConfig, legacy};

#[test]
fn globals_decide_compat_configurations_and_no_others() {
    legacy::NO_SITE.store(1, Relaxed);
    legacy::BYTES_WARNING.store(2, Relaxed);
    legacy::IGNORE_ENVIRONMENT.store(1, Relaxed);

    let mut compat = PyConfig::new(ConfigKind::Compat);
    compat.read().unwrap();
    assert_eq!((compat.site_import, compat.bytes_warning, compat.use_environment), (0, 2, 0));
    assert_eq!((compat.write_bytecode, compat.buffered_stdio, compat.isolated), (1, 1, 0));
    assert_eq!(compat.argv.len(), 1);

    let mut python = PyConfig::new(ConfigKind::Isolated);
    python.read().unwrap();
    assert_eq!((python.site_import, python.bytes_warning), (1, 0));

    legacy::store(&python);
    let globals = [&legacy::NO_SITE, &legacy::BYTES_WARNING, &legacy::IGNORE_ENVIRONMENT, &legacy::ISOLATED];
    assert_eq!(globals.map(|global| global.load(Relaxed)), [0, 0, 1, 1]);
    assert_eq!(legacy::HASH_RANDOMIZATION.load(Relaxed), 1);
}

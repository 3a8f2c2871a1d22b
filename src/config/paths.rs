//! Path configuration: which program this is, where an installation is, and where modules are looked for.
//!
//! ```text
//!   program_name ──PATH──> executable ──> pyvenv.cfg? ──> prefix, base_prefix ──> stdlib_dir, module_search_paths
//!                                  home ─────────────────────^
//! ```
//!
//! The standard library is frozen into this library, so a folder for it is welcome but not needed: without
//! one `stdlib_dir` stays unset, and nothing is searched but `PYTHONPATH`.
//!
//! A field that the embedder set is kept. Files that cannot be named in the locale's encoding do not exist.
//!
//! Most paths that are made here are tried and forgotten, once as characters and once in the system's encoding: they lie
//! in a [`Scratch`], and only what a field keeps becomes a string.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use hognose_allocators::{NoMemory, Scratch};

use super::env::Environment;
use super::layout::PyConfig;
use super::locale::{self, EncodeError};
use super::status::StatusResult;
use super::strings::{WChar, WideString};

/// Name of the folder of the standard library, below `platlibdir`.
const LIBRARY: &str = "python3.14";

/// The prefix when nothing tells another.
const DEFAULT_PREFIX: &str = "/usr/local";

/// The program's name when nothing tells another.
const DEFAULT_PROGRAM: &str = "python3";

const SLASH: WChar = b'/' as WChar;
const COLON: WChar = b':' as WChar;

impl PyConfig {
    /// Fills the path fields that are not set. Called in initialization, after `read`.
    pub fn compute_paths(&mut self) -> StatusResult {
        let env = if self.use_environment > 0 { Environment::Process } else { Environment::Empty };
        self.compute_paths_from(&env, &Environment::Process)
    }

    /// `env` gives `PYTHONHOME`, `process` gives `PATH`.
    fn compute_paths_from(&mut self, env: &Environment<'_>, process: &Environment<'_>) -> StatusResult {
        if self.program_name.is_null() {
            self.program_name = match self.orig_argv.as_slice().first() {
                Some(name) if !name.as_slice().is_empty() => name.try_clone()?,
                _ => WideString::from_text(DEFAULT_PROGRAM)?,
            };
        }
        if self.home.is_null() {
            self.home = env.text(c"PYTHONHOME")?.unwrap_or_default();
        }
        if self.platlibdir.is_null() {
            self.platlibdir = WideString::from_text("lib")?;
        }
        if self.executable.is_null() {
            self.executable = find_program(self.program_name.as_slice(), process)?;
        }
        if self.base_executable.is_null() {
            self.base_executable = self.executable.try_clone()?;
        }
        self.compute_prefixes()?;
        self.compute_search_paths()
    }

    fn compute_prefixes(&mut self) -> StatusResult {
        let mut base;
        let mut base_exec;
        let mut virtual_environment = WideString::null();
        if let Some(home) = self.home.get() {
            // `prefix:exec_prefix`, or one folder for both.
            let colon = home.iter().position(|&unit| unit == COLON);
            base = WideString::copy_of(&home[..colon.unwrap_or(home.len())])?;
            base_exec = match colon {
                Some(at) => WideString::copy_of(&home[at + 1..])?,
                None => base.try_clone()?,
            };
        } else {
            let mut start = folder_of_program(self.executable.as_slice())?;
            if let Some((environment, home)) = find_virtual_environment(self.executable.as_slice())? {
                virtual_environment = environment;
                start = home;
            }
            base = self.find_prefix(start.as_slice())?;
            base_exec = base.try_clone()?;
        }
        for (field, value) in [(&mut self.base_prefix, &mut base), (&mut self.base_exec_prefix, &mut base_exec)] {
            if field.is_null() {
                *field = core::mem::take(value);
            }
        }
        for (field, base) in [(&mut self.prefix, &self.base_prefix), (&mut self.exec_prefix, &self.base_exec_prefix)] {
            if field.is_null() {
                *field = if virtual_environment.is_null() { base } else { &virtual_environment }.try_clone()?;
            }
        }
        Ok(())
    }

    /// The nearest folder above `start` that has a standard library; else the folder above `bin`.
    fn find_prefix(&self, start: &[WChar]) -> StatusResult<WideString> {
        let library = WideString::from_text(LIBRARY)?;
        let landmark = WideString::from_text("os.py")?;
        let mut scratch = Scratch::new();
        let mut folder = start;
        while !folder.is_empty() {
            scratch.reset();
            let parts = [folder, self.platlibdir.as_slice(), library.as_slice(), landmark.as_slice()];
            if has(&scratch, join_in(&scratch, &parts)?, Metadata::is_file)? {
                return Ok(WideString::copy_of(folder)?);
            }
            folder = parent(folder);
        }
        let bin = WideString::from_text("/bin")?;
        match start.strip_suffix(bin.as_slice()) {
            Some(above) if !above.is_empty() => Ok(WideString::copy_of(above)?),
            _ => Ok(WideString::from_text(DEFAULT_PREFIX)?),
        }
    }

    fn compute_search_paths(&mut self) -> StatusResult {
        let scratch = Scratch::new();
        let library = WideString::from_text(LIBRARY)?;
        let library = join_in(&scratch, &[self.platlibdir.as_slice(), library.as_slice()])?;
        let folder = join_in(&scratch, &[self.base_prefix.as_slice(), library])?;
        if self.stdlib_dir.is_null() && has(&scratch, folder, Metadata::is_dir)? {
            self.stdlib_dir = WideString::copy_of(folder)?;
        }
        if self.module_search_paths_set != 0 {
            return Ok(());
        }
        self.module_search_paths.clear();
        if let Some(entries) = self.pythonpath_env.get().filter(|entries| !entries.is_empty()) {
            for entry in entries.split(|&unit| unit == COLON) {
                self.module_search_paths.push(WideString::copy_of(entry)?)?;
            }
        }
        if !self.stdlib_dir.is_null() {
            self.module_search_paths.push(self.stdlib_dir.try_clone()?)?;
        }
        let extensions = WideString::from_text("lib-dynload")?;
        let extensions = join_in(&scratch, &[self.base_exec_prefix.as_slice(), library, extensions.as_slice()])?;
        if has(&scratch, extensions, Metadata::is_dir)? {
            self.module_search_paths.push(WideString::copy_of(extensions)?)?;
        }
        self.module_search_paths_set = 1;
        Ok(())
    }

    /// What goes in front of `sys.path`: the script's folder, the current one for `-m`, the empty string for
    /// `-c`, stdin and the prompt. `None` with `safe_path`.
    ///
    /// A script that is a folder or an archive is its own entry, which is the caller's to find out.
    pub fn compute_sys_path_0(&self) -> StatusResult<Option<WideString>> {
        if self.safe_path > 0 {
            return Ok(None);
        }
        if self.run_command.is_null() && !self.run_module.is_null() {
            return current_directory().map(Some);
        }
        match self.run_filename.get() {
            Some(script) if self.run_command.is_null() => {
                let script = real_path(script)?;
                let folder = parent(script.as_slice());

                Ok(Some(WideString::copy_of(folder)?))
            }
            _ => Ok(Some(WideString::from_text("")?)),
        }
    }
}

/// The folder of a path: without what follows the last slash, which goes too unless it is the first
/// character. A path without slash has no folder, and the root has none above it.
fn parent(path: &[WChar]) -> &[WChar] {
    match path.iter().rposition(|&unit| unit == SLASH) {
        Some(0) if path.len() > 1 => &path[..1],
        Some(at) => &path[..at],
        None => &[],
    }
}

/// The parts with one slash between each two.
fn join(parts: &[&[WChar]]) -> Result<WideString, NoMemory> {
    WideString::build(room_of(parts), |to| put_joined(to, parts))
}

/// The same, for as long as the scratch lasts.
fn join_in<'a>(scratch: &'a Scratch, parts: &[&[WChar]]) -> Result<&'a [WChar], NoMemory> {
    let to = scratch.fill(room_of(parts), 0)?;
    let length = put_joined(to, parts);
    Ok(&to[..length])
}

fn room_of(parts: &[&[WChar]]) -> usize {
    parts.iter().map(|part| part.len() + 1).sum()
}

/// Writes the parts with one slash between each two; how many characters that are.
fn put_joined(to: &mut [WChar], parts: &[&[WChar]]) -> usize {
    let mut length = 0;
    for part in parts {
        if length > 0 && to[length - 1] != SLASH {
            to[length] = SLASH;
            length += 1;
        }
        to[length..length + part.len()].copy_from_slice(part);
        length += part.len();
    }
    length
}

/// The path itself when it begins with a slash, else behind the current folder. Not normalized.
pub(super) fn absolute(path: &[WChar]) -> StatusResult<WideString> {
    if path.first() == Some(&SLASH) {
        return Ok(WideString::copy_of(path)?);
    }
    Ok(join(&[current_directory()?.as_slice(), path])?)
}

/// The current folder; empty when it has been removed or cannot be read.
pub fn current_directory() -> StatusResult<WideString> {
    let mut buffer = [0u8; libc::PATH_MAX as usize];
    // SAFETY: pointer and length are those of the buffer.
    let path = unsafe { libc::getcwd(buffer.as_mut_ptr().cast(), buffer.len()) };
    if path.is_null() {
        return Ok(WideString::from_text("")?);
    }
    let length = buffer.iter().position(|&byte| byte == 0).unwrap_or(0);
    locale::decode(&buffer[..length])
}

/// The bytes of a path for the system, terminated; `None` when it has none.
fn for_system<'a>(scratch: &'a Scratch, path: &[WChar]) -> StatusResult<Option<&'a [u8]>> {
    match locale::encode_for_c_in(scratch, path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(EncodeError::Character(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn has(scratch: &Scratch, path: &[WChar], is: fn(&Metadata) -> bool) -> StatusResult<bool> {
    let Some(bytes) = for_system(scratch, path)? else {
        return Ok(false);
    };
    let path = OsStr::from_bytes(&bytes[..bytes.len() - 1]);
    Ok(std::fs::metadata(path).is_ok_and(|metadata| is(&metadata)))
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o111 != 0
}

/// The path with symbolic links followed; unchanged when that fails.
fn real_path(path: &[WChar]) -> StatusResult<WideString> {
    let mut buffer = [0u8; libc::PATH_MAX as usize];
    let scratch = Scratch::new();
    let Some(bytes) = for_system(&scratch, path)? else {
        return Ok(WideString::copy_of(path)?);
    };
    // SAFETY: the path is terminated, and `realpath` writes at most PATH_MAX bytes.
    let real = unsafe { libc::realpath(bytes.as_ptr().cast(), buffer.as_mut_ptr().cast()) };
    if real.is_null() {
        return Ok(WideString::copy_of(path)?);
    }
    let length = buffer.iter().position(|&byte| byte == 0).unwrap_or(0);
    locale::decode(&buffer[..length])
}

/// The absolute path of the program called `name`; empty when it is in no folder of `PATH`.
fn find_program(name: &[WChar], process: &Environment<'_>) -> StatusResult<WideString> {
    if name.contains(&SLASH) {
        return absolute(name);
    }
    if let Some(folders) = process.text(c"PATH")? {
        let mut scratch = Scratch::new();
        for folder in folders.as_slice().split(|&unit| unit == COLON) {
            scratch.reset();
            let mut path = join_in(&scratch, &[folder, name])?;
            if path.first() != Some(&SLASH) {
                path = join_in(&scratch, &[current_directory()?.as_slice(), path])?;
            }
            if !name.is_empty() && has(&scratch, path, is_executable)? {
                return Ok(WideString::copy_of(path)?);
            }
        }
    }
    Ok(WideString::from_text("")?)
}

/// The folder that holds the program itself, links followed.
fn folder_of_program(executable: &[WChar]) -> StatusResult<WideString> {
    Ok(WideString::copy_of(parent(real_path(executable)?.as_slice()))?)
}

/// The virtual environment that `executable` is in, and its `home`: the folder of the program that made it.
///
/// `pyvenv.cfg` stands beside the program or one folder above (PEP 405).
fn find_virtual_environment(executable: &[WChar]) -> StatusResult<Option<(WideString, WideString)>> {
    let name = WideString::from_text("pyvenv.cfg")?;
    let beside = parent(executable);
    let scratch = Scratch::new();
    for folder in [beside, parent(beside)] {
        if folder.is_empty() {
            continue;
        }
        if let Some(path) = for_system(&scratch, join_in(&scratch, &[folder, name.as_slice()])?)?
            && let Some(home) = read_home(path)?
        {
            return Ok(Some((WideString::copy_of(folder)?, home)));
        }
    }
    Ok(None)
}

/// The value of `home` in a `pyvenv.cfg`; `None` when the file or the line does not exist.
fn read_home(path: &[u8]) -> StatusResult<Option<WideString>> {
    let Ok(mut file) = File::open(OsStr::from_bytes(&path[..path.len() - 1])) else {
        return Ok(None);
    };
    // The file has a handful of lines; what is beyond the buffer is not what is looked for.
    let mut buffer = [0u8; 4096];
    let mut length = 0;
    while let Ok(n @ 1..) = file.read(&mut buffer[length..]) {
        length += n;
    }
    for line in buffer[..length].split(|&byte| byte == b'\n') {
        let Some(equals) = line.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        if line[..equals].trim_ascii().eq_ignore_ascii_case(b"home") {
            return locale::decode_as(locale::Encoding::Utf8, line[equals + 1..].trim_ascii())
                .map(Some)
                .map_err(Into::into);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use super::super::ConfigKind;
    use super::*;

    fn wide(text: &str) -> WideString {
        WideString::from_text(text).unwrap()
    }

    /// A folder that is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(std::format!("hognose-paths-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn text(&self, name: &str) -> std::string::String {
            self.0.join(name).to_str().unwrap().into()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn computed(program: &Path) -> PyConfig {
        let mut config = PyConfig::new(ConfigKind::Isolated);
        config.program_name = wide(program.to_str().unwrap());
        config.compute_paths_from(&Environment::Empty, &Environment::Empty).unwrap();
        config
    }

    #[test]
    fn folders_and_joins() {
        let folder = |path: &str| std::format!("{}", WideString::copy_of(parent(wide(path).as_slice())).unwrap());
        assert_eq!([folder("/a/b"), folder("/a"), folder("/"), folder("a")], ["/a", "/", "", ""]);
        assert!(join(&[wide("/").as_slice(), wide("a").as_slice()]).unwrap().is("/a"));
        assert!(join(&[wide("").as_slice(), wide("a").as_slice(), wide("b").as_slice()]).unwrap().is("a/b"));
    }

    #[test]
    fn the_program_is_searched_in_path() {
        let folder = Folder::new("search");
        folder.file("bin/prog", "");
        let path = std::format!("/nowhere:{}", folder.text("bin"));
        let variables = [(c"PATH", path.as_bytes())];
        let env = Environment::Fixed(&variables);
        assert!(find_program(wide("prog").as_slice(), &env).unwrap().is(&folder.text("bin/prog")));
        assert!(find_program(wide("other").as_slice(), &env).unwrap().is(""));
        assert!(find_program(wide("").as_slice(), &env).unwrap().is(""));
        assert!(find_program(wide("/x/y").as_slice(), &env).unwrap().is("/x/y"));
    }

    #[test]
    fn without_a_library_the_prefix_is_above_bin_and_nothing_is_searched() {
        let folder = Folder::new("bare");
        let config = computed(&folder.file("bin/prog", ""));
        assert!(config.prefix.is(&folder.text("")[..folder.text("").len() - 1]));
        assert!(config.stdlib_dir.is_null() && config.module_search_paths.is_empty());
        assert_eq!(config.module_search_paths_set, 1);
        assert!(config.platlibdir.is("lib"));
    }

    #[test]
    fn a_library_is_found_through_links() {
        let folder = Folder::new("library");
        folder.file("root/lib/python3.14/os.py", "");
        folder.file("root/lib/python3.14/lib-dynload/x.so", "");
        let program = folder.file("root/bin/prog", "");
        fs::create_dir_all(folder.0.join("links")).unwrap();
        symlink(program, folder.0.join("links/prog")).unwrap();
        let config = computed(&folder.0.join("links/prog"));
        assert!(config.executable.is(&folder.text("links/prog")));
        assert!(config.prefix.is(&folder.text("root")) && config.base_exec_prefix.is(&folder.text("root")));
        assert!(config.stdlib_dir.is(&folder.text("root/lib/python3.14")));
        let paths = config.module_search_paths.as_slice();
        assert_eq!(paths.len(), 2);
        assert!(paths[1].is(&folder.text("root/lib/python3.14/lib-dynload")));
    }

    #[test]
    fn a_virtual_environment_keeps_its_own_prefix() {
        let folder = Folder::new("venv");
        folder.file("root/lib/python3.14/os.py", "");
        folder.file("root/bin/prog", "");
        let program = folder.file("env/bin/prog", "");
        folder.file("env/pyvenv.cfg", &std::format!("version = 3\nhome = {}\n", folder.text("root/bin")));
        let config = computed(&program);
        assert!(config.prefix.is(&folder.text("env")) && config.exec_prefix.is(&folder.text("env")));
        assert!(config.base_prefix.is(&folder.text("root")));
    }

    #[test]
    fn home_gives_both_prefixes() {
        let mut config = PyConfig::new(ConfigKind::Python);
        let env = Environment::Fixed(&[(c"PYTHONHOME", b"/a:/b")]);
        config.pythonpath_env = wide("x::/y");
        config.compute_paths_from(&env, &Environment::Empty).unwrap();
        assert!(config.home.is("/a:/b") && config.prefix.is("/a") && config.exec_prefix.is("/b"));
        assert!(config.executable.is("") && config.program_name.is("python3"));
        let paths = config.module_search_paths.as_slice();
        assert!(paths[0].is("x") && paths[1].is("") && paths[2].is("/y"));
    }

    #[test]
    fn what_the_embedder_set_is_kept() {
        let mut config = PyConfig::new(ConfigKind::Python);
        for field in [&mut config.prefix, &mut config.executable, &mut config.base_exec_prefix, &mut config.stdlib_dir]
        {
            *field = wide("/mine");
        }
        config.module_search_paths_set = 1;
        config.compute_paths_from(&Environment::Empty, &Environment::Empty).unwrap();
        assert!(config.prefix.is("/mine") && config.executable.is("/mine") && config.exec_prefix.is("/mine"));
        assert!(config.base_executable.is("/mine") && config.module_search_paths.is_empty());
    }

    #[test]
    fn the_first_entry_of_sys_path_follows_what_runs() {
        let folder = Folder::new("first");
        let script = folder.file("scripts/a.py", "");
        let mut config = PyConfig::new(ConfigKind::Python);
        assert!(config.compute_sys_path_0().unwrap().unwrap().is(""));
        config.run_filename = wide(script.to_str().unwrap());
        assert!(config.compute_sys_path_0().unwrap().unwrap().is(&folder.text("scripts")));
        config.run_module = wide("m");
        let here = std::env::current_dir().unwrap();
        assert!(config.compute_sys_path_0().unwrap().unwrap().is(here.to_str().unwrap()));
        config.run_command = wide("pass\n");
        assert!(config.compute_sys_path_0().unwrap().unwrap().is(""));
        config.safe_path = 1;
        assert!(config.compute_sys_path_0().unwrap().is_none());
    }

    #[test]
    fn relative_paths_are_put_behind_the_current_folder() {
        let here = std::env::current_dir().unwrap();
        let expected = std::format!("{}/./a.py", here.to_str().unwrap());
        assert!(absolute(wide("./a.py").as_slice()).unwrap().is(&expected));
        assert!(absolute(wide("/a").as_slice()).unwrap().is("/a"));
    }
}

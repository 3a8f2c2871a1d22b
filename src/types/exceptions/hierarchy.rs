//! Every built-in exception type, and the variables by which C knows them.
#![allow(non_upper_case_globals, reason = "an exception's static is named as the exception")]

use core::ffi::CStr;

use super::base::{self, PyBaseException};
use super::{group, os_error, simple, syntax, unicode};
use crate::object::{PyObject, StaticType, TypeSlots, TypeSpec, flags};

/// A C variable of type `PyObject *` that points to an exception type for ever.
#[repr(transparent)]
pub struct ExceptionPointer(*const PyObject);

// SAFETY: the pointer never changes, and what it points to is a static.
unsafe impl Sync for ExceptionPointer {}

/// The declaration of an exception that is like its base.
pub(crate) const fn plain(name: &'static CStr, base: &'static StaticType, doc: &'static str) -> TypeSpec {
    // The base's struct is the instance's: `type_ready` inherits the size and the slots.
    TypeSpec {
        name,
        flags: flags::BASETYPE | flags::HAVE_GC | flags::BASE_EXC_SUBCLASS,
        base: Some(base),
        doc,
        slots: TypeSlots {
            new: base.spec.slots.new,
            init: base.spec.slots.init,
            dealloc: base.spec.slots.dealloc,
            traverse: base.spec.slots.traverse,
            clear: base.spec.slots.clear,
            ..TypeSlots::EMPTY
        },
        basicsize: base.spec.basicsize,
        dictoffset: core::mem::offset_of!(PyBaseException, dict),
        ..TypeSpec::EMPTY
    }
}

macro_rules! exceptions {
    ($($name:ident = $spec:expr;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`.")]
            #[unsafe(export_name = concat!("_PyExc_", stringify!($name)))]
            pub static $name: StaticType = StaticType::new($spec);
        )*

        /// All built-in exception types, a base before what derives from it.
        pub static TYPES: &[&StaticType] = &[$(&$name,)*];

        /// C's variables: `PyExc_TypeError` and the like.
        pub mod pointers {
            use super::ExceptionPointer;
            $(
                #[doc = concat!("`PyExc_", stringify!($name), "`.")]
                #[unsafe(export_name = concat!("PyExc_", stringify!($name)))]
                pub static $name: ExceptionPointer = ExceptionPointer((&raw const super::$name).cast());
            )*
            /// `PyExc_EnvironmentError`, an old name of OSError.
            #[unsafe(export_name = "PyExc_EnvironmentError")]
            pub static EnvironmentError: ExceptionPointer = ExceptionPointer((&raw const super::OSError).cast());
            /// `PyExc_IOError`, an old name of OSError.
            #[unsafe(export_name = "PyExc_IOError")]
            pub static IOError: ExceptionPointer = ExceptionPointer((&raw const super::OSError).cast());
        }
    };
}

exceptions! {
    BaseException = base::SPEC;
    Exception = plain(c"Exception", &BaseException, "Common base class for all non-exit exceptions.");
    BaseExceptionGroup = group::BASE_SPEC;
    GeneratorExit = plain(c"GeneratorExit", &BaseException, "Request that a generator exit.");
    KeyboardInterrupt = plain(c"KeyboardInterrupt", &BaseException, "Program interrupted by user.");
    SystemExit = simple::SYSTEM_EXIT_SPEC;
    ArithmeticError = plain(c"ArithmeticError", &Exception, "Base class for arithmetic errors.");
    FloatingPointError = plain(c"FloatingPointError", &ArithmeticError, "Floating-point operation failed.");
    OverflowError = plain(c"OverflowError", &ArithmeticError, "Result too large to be represented.");
    ZeroDivisionError = plain(c"ZeroDivisionError", &ArithmeticError, "Second argument to a division or modulo operation was zero.");
    AssertionError = plain(c"AssertionError", &Exception, "Assertion failed.");
    AttributeError = simple::ATTRIBUTE_ERROR_SPEC;
    BufferError = plain(c"BufferError", &Exception, "Buffer error.");
    EOFError = plain(c"EOFError", &Exception, "Read beyond end of file.");
    ImportError = simple::IMPORT_ERROR_SPEC;
    ModuleNotFoundError = plain(c"ModuleNotFoundError", &ImportError, "Module not found.");
    LookupError = plain(c"LookupError", &Exception, "Base class for lookup errors.");
    IndexError = plain(c"IndexError", &LookupError, "Sequence index out of range.");
    KeyError = TypeSpec {
        slots: TypeSlots { str: Some(simple::key_error_str), ..plain(c"", &LookupError, "").slots },
        ..plain(c"KeyError", &LookupError, "Mapping key not found.")
    };
    MemoryError = TypeSpec {
        slots: TypeSlots { dealloc: Some(base::memory_error_dealloc), ..plain(c"", &Exception, "").slots },
        ..plain(c"MemoryError", &Exception, "Out of memory.")
    };
    NameError = simple::NAME_ERROR_SPEC;
    UnboundLocalError = plain(c"UnboundLocalError", &NameError, "Local name referenced but not bound to a value.");
    OSError = os_error::SPEC;
    BlockingIOError = plain(c"BlockingIOError", &OSError, "I/O operation would block.");
    ChildProcessError = plain(c"ChildProcessError", &OSError, "Child process error.");
    ConnectionError = plain(c"ConnectionError", &OSError, "Connection error.");
    BrokenPipeError = plain(c"BrokenPipeError", &ConnectionError, "Broken pipe.");
    ConnectionAbortedError = plain(c"ConnectionAbortedError", &ConnectionError, "Connection aborted.");
    ConnectionRefusedError = plain(c"ConnectionRefusedError", &ConnectionError, "Connection refused.");
    ConnectionResetError = plain(c"ConnectionResetError", &ConnectionError, "Connection reset.");
    FileExistsError = plain(c"FileExistsError", &OSError, "File already exists.");
    FileNotFoundError = plain(c"FileNotFoundError", &OSError, "File not found.");
    InterruptedError = plain(c"InterruptedError", &OSError, "Interrupted by signal.");
    IsADirectoryError = plain(c"IsADirectoryError", &OSError, "Operation doesn't work on directories.");
    NotADirectoryError = plain(c"NotADirectoryError", &OSError, "Operation only works on directories.");
    PermissionError = plain(c"PermissionError", &OSError, "Not enough permissions.");
    ProcessLookupError = plain(c"ProcessLookupError", &OSError, "Process not found.");
    TimeoutError = plain(c"TimeoutError", &OSError, "Timeout expired.");
    ReferenceError = plain(c"ReferenceError", &Exception, "Weak ref proxy used after referent went away.");
    RuntimeError = plain(c"RuntimeError", &Exception, "Unspecified run-time error.");
    NotImplementedError = plain(c"NotImplementedError", &RuntimeError, "Method or function hasn't been implemented yet.");
    PythonFinalizationError = plain(c"PythonFinalizationError", &RuntimeError, "Operation blocked during Python finalization.");
    RecursionError = plain(c"RecursionError", &RuntimeError, "Recursion limit exceeded.");
    StopAsyncIteration = plain(c"StopAsyncIteration", &Exception, "Signal the end from iterator.__anext__().");
    StopIteration = simple::STOP_ITERATION_SPEC;
    SyntaxError = syntax::SPEC;
    _IncompleteInputError = plain(c"_IncompleteInputError", &SyntaxError, "incomplete input.");
    IndentationError = plain(c"IndentationError", &SyntaxError, "Improper indentation.");
    TabError = plain(c"TabError", &IndentationError, "Improper mixture of spaces and tabs.");
    SystemError = plain(c"SystemError", &Exception, "Internal error in the interpreter.\n\nPlease report this to the maintainers, along with the traceback, the version\nand the hardware and system that you use.");
    TypeError = plain(c"TypeError", &Exception, "Inappropriate argument type.");
    ValueError = plain(c"ValueError", &Exception, "Inappropriate argument value (of correct type).");
    UnicodeError = plain(c"UnicodeError", &ValueError, "Unicode related error.");
    UnicodeDecodeError = unicode::DECODE_SPEC;
    UnicodeEncodeError = unicode::ENCODE_SPEC;
    UnicodeTranslateError = unicode::TRANSLATE_SPEC;
    Warning = plain(c"Warning", &Exception, "Base class for warning categories.");
    BytesWarning = plain(c"BytesWarning", &Warning, "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.");
    DeprecationWarning = plain(c"DeprecationWarning", &Warning, "Base class for warnings about deprecated features.");
    EncodingWarning = plain(c"EncodingWarning", &Warning, "Base class for warnings about encodings.");
    FutureWarning = plain(c"FutureWarning", &Warning, "Base class for warnings about constructs that will change semantically\nin the future.");
    ImportWarning = plain(c"ImportWarning", &Warning, "Base class for warnings about probable mistakes in module imports");
    PendingDeprecationWarning = plain(c"PendingDeprecationWarning", &Warning, "Base class for warnings about features which will be deprecated\nin the future.");
    ResourceWarning = plain(c"ResourceWarning", &Warning, "Base class for warnings about resource usage.");
    RuntimeWarning = plain(c"RuntimeWarning", &Warning, "Base class for warnings about dubious runtime behavior.");
    SyntaxWarning = plain(c"SyntaxWarning", &Warning, "Base class for warnings about dubious syntax.");
    UnicodeWarning = plain(c"UnicodeWarning", &Warning, "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.");
    UserWarning = plain(c"UserWarning", &Warning, "Base class for warnings generated by user code.");
    ExceptionGroup = TypeSpec { mixin: Some(&Exception), ..plain(c"ExceptionGroup", &BaseExceptionGroup, "") };
}

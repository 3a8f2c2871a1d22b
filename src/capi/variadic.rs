//! The public names of the functions with a variable number of arguments, whose bodies are in `variadic.c`.
//!
//! A C symbol is never exported from the shared library, a Rust function is; each here is one jump, which leaves
//! the arguments where they are.

use core::arch::naked_asm;

macro_rules! trampolines {
    ($($($name:ident)+ => $target:ident;)*) => {
        unsafe extern "C" {
            $(fn $target();)*
        }
        $($(
            /// Jumps to the function of that name in C.
            ///
            /// # Safety
            ///
            /// Called from C with the arguments that the header says.
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name() {
                #[cfg(target_arch = "x86_64")]
                naked_asm!("jmp {0}", sym $target);
                #[cfg(target_arch = "aarch64")]
                naked_asm!("b {0}", sym $target);
            }
        )+)*
    };
}

trampolines! {
    PyArg_Parse _PyArg_Parse_SizeT => hog_c_PyArg_Parse;
    PyArg_ParseTuple _PyArg_ParseTuple_SizeT => hog_c_PyArg_ParseTuple;
    PyArg_VaParse _PyArg_VaParse_SizeT => hog_c_PyArg_VaParse;
    PyArg_ParseTupleAndKeywords _PyArg_ParseTupleAndKeywords_SizeT => hog_c_PyArg_ParseTupleAndKeywords;
    PyArg_VaParseTupleAndKeywords _PyArg_VaParseTupleAndKeywords_SizeT => hog_c_PyArg_VaParseTupleAndKeywords;
    PyArg_UnpackTuple => hog_c_PyArg_UnpackTuple;
    Py_BuildValue _Py_BuildValue_SizeT => hog_c_Py_BuildValue;
    Py_VaBuildValue _Py_VaBuildValue_SizeT => hog_c_Py_VaBuildValue;
    PyUnicode_FromFormat => hog_c_PyUnicode_FromFormat;
    PyUnicode_FromFormatV => hog_c_PyUnicode_FromFormatV;
    PyErr_Format => hog_c_PyErr_Format;
    PyErr_FormatV => hog_c_PyErr_FormatV;
    _PyErr_FormatFromCause => hog_c__PyErr_FormatFromCause;
    PyErr_FormatUnraisable => hog_c_PyErr_FormatUnraisable;
    PyErr_WarnFormat => hog_c_PyErr_WarnFormat;
    PyErr_ResourceWarning => hog_c_PyErr_ResourceWarning;
    PySys_Audit => hog_c_PySys_Audit;
    PyObject_CallFunction _PyObject_CallFunction_SizeT => hog_c_PyObject_CallFunction;
    PyObject_CallMethod _PyObject_CallMethod_SizeT => hog_c_PyObject_CallMethod;
    PyObject_CallFunctionObjArgs => hog_c_PyObject_CallFunctionObjArgs;
    PyObject_CallMethodObjArgs => hog_c_PyObject_CallMethodObjArgs;
    PyTuple_Pack => hog_c_PyTuple_Pack;
    PyOS_vsnprintf => hog_c_PyOS_vsnprintf;
    PyOS_snprintf => hog_c_PyOS_snprintf;
    PySys_WriteStdout => hog_c_PySys_WriteStdout;
    PySys_WriteStderr => hog_c_PySys_WriteStderr;
    PySys_FormatStdout => hog_c_PySys_FormatStdout;
    PySys_FormatStderr => hog_c_PySys_FormatStderr;
    _Py_FatalErrorFormat => hog_c__Py_FatalErrorFormat;
}

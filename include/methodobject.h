/* Functions that are written in C. */
#ifndef Py_METHODOBJECT_H
#define Py_METHODOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *args);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *self, PyObject *args, PyObject *kwargs);
typedef PyObject *(*PyCFunctionFast)(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
typedef PyObject *(*PyCFunctionFastWithKeywords)(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
typedef PyObject *(*PyCMethod)(PyObject *self, PyTypeObject *cls, PyObject *const *args, size_t nargs, PyObject *kwnames);
#define _PyCFunction_CAST(f) _Py_CAST(PyCFunction, _Py_CAST(void (*)(void), (f)))
#define PyCFunctionFast_CAST(f) _PyCFunction_CAST(f)

/* How a function is called. */
#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#define METH_FASTCALL 0x0080
#define METH_METHOD 0x0200

/* A function; a table of them ends with a NULL name. It stays as long as what is made of it. */
struct PyMethodDef {
    const char *ml_name;
    PyCFunction ml_meth;
    int ml_flags;
    const char *ml_doc;
};

PyAPI_DATA(PyTypeObject) PyCFunction_Type;
#define PyCFunction_CheckExact(op) Py_IS_TYPE((op), &PyCFunction_Type)
#define PyCFunction_Check(op) PyObject_TypeCheck((op), &PyCFunction_Type)

/* A function object; self and module may be NULL. */
PyAPI_FUNC(PyObject *) PyCFunction_New(PyMethodDef *def, PyObject *self);
PyAPI_FUNC(PyObject *) PyCFunction_NewEx(PyMethodDef *def, PyObject *self, PyObject *module);
/* The same with the defining class. Since 3.9. */
PyAPI_FUNC(PyObject *) PyCMethod_New(PyMethodDef *def, PyObject *self, PyObject *module, PyTypeObject *cls);
/* What it is bound to, borrowed, NULL for nothing; and its METH_* flags. */
PyAPI_FUNC(PyObject *) PyCFunction_GetSelf(PyObject *function);
PyAPI_FUNC(int) PyCFunction_GetFlags(PyObject *function);

#ifdef __cplusplus
}
#endif
#endif

/* Making and ending objects of C types, and the cycle collector. */
#ifndef Py_OBJIMPL_H
#define Py_OBJIMPL_H

#include "object.h"
#include "pymem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory for an instance with its header (count 1), the rest zeroed; freed with PyObject_Free. */
PyAPI_FUNC(PyObject *) _PyObject_New(PyTypeObject *type);
PyAPI_FUNC(PyObject *) _PyObject_NewVar(PyTypeObject *type, Py_ssize_t nitems);
#define PyObject_New(type, typeobj) ((type *)_PyObject_New(typeobj))
#define PyObject_NewVar(type, typeobj, n) ((type *)_PyObject_NewVar((typeobj), (n)))
#define PyObject_NEW(type, typeobj) PyObject_New(type, typeobj)
#define PyObject_NEW_VAR(type, typeobj, n) PyObject_NewVar(type, typeobj, n)

/* Writes the header into memory of the caller's; MemoryError for NULL. The object is returned. */
PyAPI_FUNC(PyObject *) PyObject_Init(PyObject *op, PyTypeObject *type);
PyAPI_FUNC(PyVarObject *) PyObject_InitVar(PyVarObject *op, PyTypeObject *type, Py_ssize_t size);
#define PyObject_INIT(op, type) PyObject_Init(_PyObject_CAST(op), (type))
#define PyObject_INIT_VAR(op, type, size) PyObject_InitVar(_PyVarObject_CAST(op), (type), (size))

/* The same for types with Py_TPFLAGS_HAVE_GC: not tracked yet; freed with PyObject_GC_Del. */
PyAPI_FUNC(PyObject *) _PyObject_GC_New(PyTypeObject *type);
PyAPI_FUNC(PyVarObject *) _PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t nitems);
PyAPI_FUNC(PyVarObject *) _PyObject_GC_Resize(PyVarObject *op, Py_ssize_t nitems);
#define PyObject_GC_New(type, typeobj) ((type *)_PyObject_GC_New(typeobj))
#define PyObject_GC_NewVar(type, typeobj, n) ((type *)_PyObject_GC_NewVar((typeobj), (n)))
#define PyObject_GC_Resize(type, op, n) ((type *)_PyObject_GC_Resize(_PyVarObject_CAST(op), (n)))
/* Frees the memory of such an object. NULL is not allowed. Cannot fail. */
PyAPI_FUNC(void) PyObject_GC_Del(void *op);
/* Hands the object to the collector, all fields written; and takes it back. Cannot fail. */
PyAPI_FUNC(void) PyObject_GC_Track(void *op);
PyAPI_FUNC(void) PyObject_GC_UnTrack(void *op);
/* 1 or 0: whether the collector knows the object. Since 3.9. */
PyAPI_FUNC(int) PyObject_GC_IsTracked(PyObject *op);
/* 1 or 0: whether its finalizer has run. Since 3.9. */
PyAPI_FUNC(int) PyObject_GC_IsFinalized(PyObject *op);

/* Collects everything, unless the collector is disabled; how many objects were garbage. Cannot fail. */
PyAPI_FUNC(Py_ssize_t) PyGC_Collect(void);
/* Enable, disable, ask; each tells whether the collector was enabled. Since 3.10. Cannot fail. */
PyAPI_FUNC(int) PyGC_Enable(void);
PyAPI_FUNC(int) PyGC_Disable(void);
PyAPI_FUNC(int) PyGC_IsEnabled(void);

/* In a tp_traverse with parameters named visit and arg: shows a reference. */
#define Py_VISIT(op)                                                                                                   \
    do {                                                                                                               \
        if (op) {                                                                                                      \
            int _result = visit(_PyObject_CAST(op), arg);                                                              \
            if (_result)                                                                                               \
                return _result;                                                                                        \
        }                                                                                                              \
    } while (0)

#define PyType_IS_GC(t) PyType_HasFeature((t), Py_TPFLAGS_HAVE_GC)

#ifndef Py_LIMITED_API
/* Whether objects of this type have a collector header. Cannot fail. */
PyAPI_FUNC(int) PyObject_IS_GC(PyObject *obj);
/* As _PyObject_GC_New, with zeroed bytes behind. Since 3.12. */
PyAPI_FUNC(PyObject *) PyUnstable_Object_GC_NewWithExtraData(PyTypeObject *type, size_t extra);
/* Calls a function with each tracked object until it gives 0. It makes no objects. Since 3.12. */
typedef int (*gcvisitobjects_t)(PyObject *, void *);
PyAPI_FUNC(void) PyUnstable_GC_VisitObjects(gcvisitobjects_t callback, void *arg);
#endif

#ifdef __cplusplus
}
#endif
#endif

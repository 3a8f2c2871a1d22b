/* memoryview. */
#ifndef Py_MEMORYOBJECT_H
#define Py_MEMORYOBJECT_H

#include "object.h"
#include "pybuffer.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyMemoryView_Type;
#define PyMemoryView_Check(op) Py_IS_TYPE((op), &PyMemoryView_Type)
/* memoryview(obj). */
PyAPI_FUNC(PyObject *) PyMemoryView_FromObject(PyObject *obj);
/* Of memory that stays as long as the view; flags is PyBUF_READ or PyBUF_WRITE. */
PyAPI_FUNC(PyObject *) PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags);
/* Of contiguous memory: the object's own, or for PyBUF_READ a copy. */
PyAPI_FUNC(PyObject *) PyMemoryView_GetContiguous(PyObject *obj, int access, char order);
/* Of what a view describes, which stays as long. Since 3.11 in the limited API. */
PyAPI_FUNC(PyObject *) PyMemoryView_FromBuffer(const Py_buffer *view);
#ifndef Py_LIMITED_API
/* The view inside, borrowed, unchecked. */
PyAPI_FUNC(Py_buffer *) _Hog_MemoryViewBuffer(PyObject *memoryview);
#define PyMemoryView_GET_BUFFER(op) _Hog_MemoryViewBuffer(_PyObject_CAST(op))
#define PyMemoryView_GET_BASE(op) (PyMemoryView_GET_BUFFER(op)->obj)
#endif

#ifdef __cplusplus
}
#endif
#endif

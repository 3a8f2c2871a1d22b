/* Buffers that a pickle may leave out. */
#ifndef Py_PICKLEBUFOBJECT_H
#define Py_PICKLEBUFOBJECT_H

#include "object.h"
#include "pybuffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
PyAPI_DATA(PyTypeObject) PyPickleBuffer_Type;
#define PyPickleBuffer_Check(op) Py_IS_TYPE((op), &PyPickleBuffer_Type)
/* TypeError for what has no buffer. Since 3.8. */
PyAPI_FUNC(PyObject *) PyPickleBuffer_FromObject(PyObject *obj);
/* The view, which stays the object's; NULL and ValueError when it has been released. Since 3.8. */
PyAPI_FUNC(const Py_buffer *) PyPickleBuffer_GetBuffer(PyObject *picklebuf);
/* Gives the view back; 0, or -1 with an exception. Since 3.8. */
PyAPI_FUNC(int) PyPickleBuffer_Release(PyObject *picklebuf);
#endif

#ifdef __cplusplus
}
#endif
#endif

/* A function that is told of each object that begins or ends. Included by Python.h. */
#ifndef Py_REFTRACE_H
#define Py_REFTRACE_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* What happens to the object: it was just made (it has its type, and may have nothing else yet), or it is about to end. */
typedef enum {
    PyRefTracer_CREATE = 0,
    PyRefTracer_DESTROY = 1
} PyRefTracerEvent;

/* Called with the GIL of the interpreter in which it happens. Must not make objects, nor set or clear an exception. What
   it returns is ignored. */
typedef int (*PyRefTracer)(PyObject *, PyRefTracerEvent event, void *data);

/* Makes `tracer` the one of the process, in place of the one before; NULL is none. 0, or -1 with MemoryError. A thread
   state is attached. Ends with the runtime. Since 3.13. */
PyAPI_FUNC(int) PyRefTracer_SetTracer(PyRefTracer tracer, void *data);
/* The tracer, and its data in *data if `data` is not NULL; NULL and NULL if there is none. Since 3.13. */
PyAPI_FUNC(PyRefTracer) PyRefTracer_GetTracer(void **data);
#endif

#ifdef __cplusplus
}
#endif
#endif

/* The C API of Hognose: a Python 3.14 runtime. Include this first, and nothing else of it.
 *
 * Conventions, which a declaration says only where it departs from them:
 *
 *   thread     an attached thread state is needed (the GIL is held); without one the process ends
 *   result     a PyObject * is a new reference, which the caller gives up with Py_DECREF; "borrowed" ones are not
 *   failure    NULL, or -1 for an int or Py_ssize_t, with an exception set
 *   arguments  are borrowed for the time of the call; "takes over" means that the reference is given up, also
 *              when the call fails; NULL raises SystemError where it is not mentioned
 *   since      3.2, the first version of the limited API
 */
#ifndef Py_PYTHON_H
#define Py_PYTHON_H

#include "patchlevel.h"
#include "pyport.h"

#include "pymem.h"
#include "object.h"
#include "refcount.h"
#include "objimpl.h"
#include "methodobject.h"
#include "descrobject.h"
#include "cpython/typeslots.h"
#include "boolobject.h"
#include "longobject.h"
#include "floatobject.h"
#include "complexobject.h"
#include "unicodeobject.h"
#include "bytesobject.h"
#include "bytearrayobject.h"
#include "tupleobject.h"
#include "listobject.h"
#include "dictobject.h"
#include "setobject.h"
#include "sliceobject.h"
#include "rangeobject.h"
#include "genobject.h"
#include "pydebug.h"
#include "cellobject.h"
#include "classobject.h"
#include "funcobject.h"
#include "moduleobject.h"
#include "pybuffer.h"
#include "memoryobject.h"
#include "iterobject.h"
#include "weakrefobject.h"
#include "picklebufobject.h"
#include "pycapsule.h"
#include "genericaliasobject.h"
#include "codecs.h"
#include "pyerrors.h"
#include "warnings.h"
#include "traceback.h"
#include "tracemalloc.h"
#include "reftrace.h"
#include "pystate.h"
#include "pythread.h"
#include "lock.h"
#include "pyframe.h"
#include "modsupport.h"
#include "abstract.h"
#include "ceval.h"
#include "pythonrun.h"
#include "sysmodule.h"
#include "import.h"
#include "fileobject.h"
#include "pytime.h"
#include "pylifecycle.h"
#include "initconfig.h"

#endif

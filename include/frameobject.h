/* The name of old for pyframe.h. */
#ifndef Py_FRAMEOBJECT_H
#define Py_FRAMEOBJECT_H
#include "pyframe.h"
#endif

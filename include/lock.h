/* PyMutex, and critical sections. */
#ifndef Py_LOCK_H
#define Py_LOCK_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* A mutex of one byte; zero is unlocked. It must not be moved or copied. Since 3.13. */
typedef struct PyMutex {
    uint8_t _bits; /* 1: locked; 2: somebody waits */
} PyMutex;
/* Takes a mutex; the GIL, if held, is let go while it waits. Any thread, at any time. Not re-entrant. */
PyAPI_FUNC(void) PyMutex_Lock(PyMutex *m);
/* Fatal error when it is not locked. */
PyAPI_FUNC(void) PyMutex_Unlock(PyMutex *m);
/* Since 3.14. */
PyAPI_FUNC(int) PyMutex_IsLocked(PyMutex *m);

/* The calls with nobody else around are a single instruction. */
static inline void _Hog_MutexLock(PyMutex *m)
{
    uint8_t expected = 0;
    if (!__atomic_compare_exchange_n(&m->_bits, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        PyMutex_Lock(m);
    }
}
static inline void _Hog_MutexUnlock(PyMutex *m)
{
    uint8_t expected = 1;
    if (!__atomic_compare_exchange_n(&m->_bits, &expected, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        PyMutex_Unlock(m);
    }
}
#define PyMutex_Lock _Hog_MutexLock
#define PyMutex_Unlock _Hog_MutexUnlock

/* Sections in which a thread has the lock of an object, as long as it has the GIL: what lets the GIL go suspends
   them. The structs are the thread's, and stay where they are until End. With a GIL the macros need none of it;
   the functions are for callers without macros. Since 3.13, those with Mutex 3.14. */
typedef struct PyCriticalSection {
    uintptr_t _previous;
    PyMutex *_mutex;
} PyCriticalSection;
typedef struct PyCriticalSection2 {
    PyCriticalSection _outer;
    PyCriticalSection _inner;
} PyCriticalSection2;
PyAPI_FUNC(void) PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op);
PyAPI_FUNC(void) PyCriticalSection_BeginMutex(PyCriticalSection *c, PyMutex *m);
/* Fatal error for another section than the innermost. */
PyAPI_FUNC(void) PyCriticalSection_End(PyCriticalSection *c);
PyAPI_FUNC(void) PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b);
PyAPI_FUNC(void) PyCriticalSection2_BeginMutex(PyCriticalSection2 *c, PyMutex *m1, PyMutex *m2);
PyAPI_FUNC(void) PyCriticalSection2_End(PyCriticalSection2 *c);

#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_BEGIN_CRITICAL_SECTION_MUTEX(mutex) {
#define Py_END_CRITICAL_SECTION() }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) {
#define Py_BEGIN_CRITICAL_SECTION2_MUTEX(m1, m2) {
#define Py_END_CRITICAL_SECTION2() }
#endif

#ifdef __cplusplus
}
#endif
#endif

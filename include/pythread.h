/* Threads, locks and thread-specific storage. None of it needs a thread state. */
#ifndef Py_PYTHREAD_H
#define Py_PYTHREAD_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *PyThread_type_lock;
typedef enum PyLockStatus {
    PY_LOCK_FAILURE = 0,
    PY_LOCK_ACQUIRED = 1,
    PY_LOCK_INTR
} PyLockStatus;
#define PYTHREAD_INVALID_THREAD_ID ((unsigned long)-1)
#define WAIT_LOCK 1
#define NOWAIT_LOCK 0
#define PY_TIMEOUT_T long long

/* Does nothing. */
PyAPI_FUNC(void) PyThread_init_thread(void);
/* Starts a thread without a thread state: its number, or PYTHREAD_INVALID_THREAD_ID. */
PyAPI_FUNC(unsigned long) PyThread_start_new_thread(void (*function)(void *), void *argument);
/* Ends the calling thread, which has no thread state attached. */
PyAPI_FUNC(void) _Py_NO_RETURN PyThread_exit_thread(void);
/* The calling thread's number, and its number in the system (since 3.8). */
PyAPI_FUNC(unsigned long) PyThread_get_thread_ident(void);
PyAPI_FUNC(unsigned long) PyThread_get_thread_native_id(void);
/* The stack size of new threads, 0 for the system's own; setting it needs a thread state: 0 or -1. */
PyAPI_FUNC(size_t) PyThread_get_stacksize(void);
PyAPI_FUNC(int) PyThread_set_stacksize(size_t size);

/* A new lock, or NULL without an exception. A lock is not its thread's: any may give it back. */
PyAPI_FUNC(PyThread_type_lock) PyThread_allocate_lock(void);
PyAPI_FUNC(void) PyThread_free_lock(PyThread_type_lock lock);
/* Takes a lock; 1 when that worked, else 0. The GIL is not let go: do that before waiting. */
PyAPI_FUNC(int) PyThread_acquire_lock(PyThread_type_lock lock, int waitflag);
/* The same for so many microseconds at most, negative: for ever. interruptible: gives up when a signal comes. */
PyAPI_FUNC(PyLockStatus) PyThread_acquire_lock_timed(PyThread_type_lock lock, PY_TIMEOUT_T microseconds,
                                                     int interruptible);
/* Fatal error when the lock is not locked. */
PyAPI_FUNC(void) PyThread_release_lock(PyThread_type_lock lock);

/* Thread-specific storage (PEP 539). Since 3.7. Keys are not NULL but where it says so. */
typedef struct _Py_tss_t Py_tss_t;
#ifndef Py_LIMITED_API
struct _Py_tss_t {
    int _is_initialized;
    unsigned int _key;
};
#define Py_tss_NEEDS_INIT { 0, 0 }
#endif
/* A key that was not created yet, or NULL. */
PyAPI_FUNC(Py_tss_t *) PyThread_tss_alloc(void);
/* Deletes and frees a key from alloc; NULL does nothing. */
PyAPI_FUNC(void) PyThread_tss_free(Py_tss_t *key);
PyAPI_FUNC(int) PyThread_tss_is_created(Py_tss_t *key);
/* 0, also for a key that was created before; -1 when the system has no more. */
PyAPI_FUNC(int) PyThread_tss_create(Py_tss_t *key);
/* Forgets the values of all threads; the key can be created again. */
PyAPI_FUNC(void) PyThread_tss_delete(Py_tss_t *key);
/* The calling thread's value: 0 or -1; NULL for none. The key was created. */
PyAPI_FUNC(int) PyThread_tss_set(Py_tss_t *key, void *value);
PyAPI_FUNC(void *) PyThread_tss_get(Py_tss_t *key);

/* The storage of old, with numbers for keys. */
PyAPI_FUNC(int) PyThread_create_key(void) Py_DEPRECATED(3.7);
PyAPI_FUNC(void) PyThread_delete_key(int key) Py_DEPRECATED(3.7);
PyAPI_FUNC(int) PyThread_set_key_value(int key, void *value) Py_DEPRECATED(3.7);
PyAPI_FUNC(void *) PyThread_get_key_value(int key) Py_DEPRECATED(3.7);
PyAPI_FUNC(void) PyThread_delete_key_value(int key) Py_DEPRECATED(3.7);
PyAPI_FUNC(void) PyThread_ReInitTLS(void) Py_DEPRECATED(3.7);

#ifdef __cplusplus
}
#endif
#endif

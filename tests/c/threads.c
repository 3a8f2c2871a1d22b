/* Threads of C's own before, during and after the runtime's life; states, pending calls, exceptions from outside. */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int go, entered, came_back;

static void wait_for(atomic_int *what, int value)
{
    while (atomic_load(what) < value) {
        usleep(200);
    }
}

static void in_threads(int count, void *(*function)(void *), void *argument)
{
    pthread_t threads[16];
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], NULL, function, argument) == 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    Py_END_ALLOW_THREADS
}

/* PyGILState: foreign threads, nested, many at once. */
static void *ensures(void *list)
{
    for (int i = 0; i < 50; i++) {
        CHECK(!PyGILState_Check());
        CHECK(PyGILState_GetThisThreadState() == NULL);
        PyGILState_STATE outer = PyGILState_Ensure();
        CHECK(outer == PyGILState_UNLOCKED);
        PyThreadState *mine = PyGILState_GetThisThreadState();
        CHECK(mine == PyThreadState_Get() && PyGILState_Check());
        PyGILState_STATE inner = PyGILState_Ensure();
        CHECK(inner == PyGILState_LOCKED && PyThreadState_Get() == mine);
        Py_BEGIN_ALLOW_THREADS
        CHECK(!PyGILState_Check() && PyGILState_GetThisThreadState() == mine);
        PyGILState_STATE again = PyGILState_Ensure();
        CHECK(again == PyGILState_UNLOCKED && PyThreadState_Get() == mine);
        PyGILState_Release(again);
        errno = 77;
        Py_END_ALLOW_THREADS
        CHECK(errno == 77);
        PyObject *number = PyLong_FromLong(i);
        CHECK(PyList_Append(list, number) == 0);
        Py_DECREF(number);
        PyGILState_Release(inner);
        PyGILState_Release(outer);
    }
    return NULL;
}

/* States by hand. */
static void *by_hand(void *interp)
{
    PyThreadState *ts = PyThreadState_New(interp);
    CHECK(ts != NULL && PyThreadState_GetInterpreter(ts) == interp);
    PyEval_RestoreThread(ts);
    CHECK(PyThreadState_Get() == ts && PyInterpreterState_Get() == interp);
    CHECK(PyRun_SimpleString("import threading; threading.current_thread()") == 0);
    CHECK(PyThreadState_GetDict() != NULL);
    CHECK(PyEval_SaveThread() == ts);
    PyEval_AcquireThread(ts);
    PyEval_ReleaseThread(ts);
    CHECK(PyThreadState_Swap(ts) == NULL);
    PyThreadState *other = PyThreadState_New(interp);
    CHECK(PyThreadState_Swap(other) == ts && PyThreadState_Get() == other);
    CHECK(PyThreadState_Swap(ts) == other);
    PyThreadState_Clear(other);
    PyThreadState_Delete(other);
    PyThreadState_Clear(ts);
    PyThreadState_DeleteCurrent();
    CHECK(PyThreadState_GetUnchecked() == NULL);
    return NULL;
}

/* PEP 788. */
static void *guarded(void *view)
{
    PyThreadStateToken *token = PyThreadState_EnsureFromView(view);
    CHECK(token != NULL && PyGILState_Check());
    PyInterpreterGuard *guard = PyInterpreterGuard_FromCurrent();
    CHECK(guard != NULL && PyInterpreterGuard_GetInterpreter(guard) == PyInterpreterState_Get());
    PyThreadStateToken *inner = PyThreadState_Ensure(guard);
    CHECK(inner != NULL);
    CHECK(PyRun_SimpleString("x = 1") == 0);
    PyThreadState_Release(inner);
    PyInterpreterGuard_Close(guard);
    CHECK(PyGILState_Check());
    PyThreadState_Release(token);
    CHECK(!PyGILState_Check());
    return NULL;
}

/* Holds the interpreter open while it wants to finalize. */
static void *keeps_open(void *guard)
{
    atomic_store(&entered, 1);
    wait_for(&go, 1);
    usleep(20000);
    PyThreadStateToken *token = PyThreadState_Ensure(guard);
    CHECK(token != NULL && !Py_IsFinalizing());
    CHECK(PyRun_SimpleString("y = 2") == 0);
    PyThreadState_Release(token);
    atomic_store(&came_back, 1);
    PyInterpreterGuard_Close(guard);
    return NULL;
}

/* Pending calls. */
static int calls, failing_calls;
static pthread_t called_in;
static int count_call(void *argument)
{
    CHECK(argument == &calls);
    calls++;
    called_in = pthread_self();
    CHECK(Py_MakePendingCalls() == 0); /* no call inside another */
    return 0;
}
static int failing_call(void *argument)
{
    (void)argument;
    failing_calls++;
    PyErr_SetString(PyExc_ValueError, "from a pending call");
    return -1;
}
static void *adds_calls(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        while (Py_AddPendingCall(count_call, &calls) != 0) {
            usleep(100);
        }
    }
    return NULL;
}

static void pending_calls(void)
{
    calls = failing_calls = 0;
    for (int i = 0; i < 32; i++) {
        CHECK(Py_AddPendingCall(count_call, &calls) == 0);
    }
    CHECK(Py_AddPendingCall(count_call, &calls) == -1 && !PyErr_Occurred());
    CHECK(Py_MakePendingCalls() == 0 && calls == 32);
    calls = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, adds_calls, NULL) == 0);
    while (calls < 200) {
        CHECK(PyRun_SimpleString("for i in range(100): pass") == 0);
    }
    pthread_join(thread, NULL);
    CHECK(calls == 200 && pthread_equal(called_in, pthread_self()));
    CHECK(Py_AddPendingCall(failing_call, NULL) == 0);
    CHECK(Py_MakePendingCalls() == -1 && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
    CHECK(failing_calls == 1 && Py_MakePendingCalls() == 0);
}

/* An exception from another thread. */
static void async_exceptions(void)
{
    CHECK(PyThreadState_SetAsyncExc(12345, PyExc_ValueError) == 0);
    CHECK(PyRun_SimpleString("import threading\n"
                             "caught, ready = [], threading.Event()\n"
                             "def spin():\n"
                             "    try:\n"
                             "        ready.set()\n"
                             "        while True: pass\n"
                             "    except LookupError as e:\n"
                             "        caught.append(type(e))\n"
                             "thread = threading.Thread(target=spin)\n"
                             "thread.start(); ready.wait()\n") == 0);
    PyObject *main = PyImport_AddModule("__main__");
    PyObject *thread = PyObject_GetAttrString(main, "thread");
    PyObject *ident = PyObject_GetAttrString(thread, "ident");
    CHECK(PyThreadState_SetAsyncExc(PyLong_AsUnsignedLong(ident), PyExc_LookupError) == 1);
    CHECK(PyRun_SimpleString("thread.join(); assert caught == [LookupError]") == 0);
    unsigned long me = PyThread_get_thread_ident();
    CHECK(PyThreadState_SetAsyncExc(me, PyExc_KeyError) == 1);
    CHECK(PyThreadState_SetAsyncExc(me, NULL) == 1);
    CHECK(PyRun_SimpleString("for i in range(10): pass") == 0);
    Py_DECREF(ident);
    Py_DECREF(thread);
}

/* A mutex that waits lets the GIL go. */
static PyMutex mutex;
static long protected_number;
static void *locks(void *argument)
{
    (void)argument;
    PyGILState_STATE state = PyGILState_Ensure();
    for (int i = 0; i < 300; i++) {
        PyMutex_Lock(&mutex);
        long before = protected_number;
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
        protected_number = before + 1;
        PyMutex_Unlock(&mutex);
    }
    PyGILState_Release(state);
    return NULL;
}

static void sections(PyObject *a, PyObject *b)
{
    PyCriticalSection one, same;
    PyCriticalSection2 two;
    PyCriticalSection_Begin(&one, a);
    PyCriticalSection_Begin(&same, a);
    PyCriticalSection2_Begin(&two, b, a);
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    PyCriticalSection2_End(&two);
    PyCriticalSection_End(&same);
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    PyCriticalSection_End(&one);
    PyMutex own = {0};
    PyCriticalSection_BeginMutex(&one, &own);
    CHECK(PyMutex_IsLocked(&own));
    Py_BEGIN_ALLOW_THREADS
    CHECK(!PyMutex_IsLocked(&own));
    Py_END_ALLOW_THREADS
    CHECK(PyMutex_IsLocked(&own));
    PyCriticalSection_End(&one);
    CHECK(!PyMutex_IsLocked(&own));
}

/* Locks and storage of the C side, without any thread state. */
static Py_tss_t key = Py_tss_NEEDS_INIT;
static void *other_storage(void *lock)
{
    CHECK(PyThread_tss_get(&key) == NULL);
    CHECK(PyThread_tss_set(&key, &go) == 0 && PyThread_tss_get(&key) == &go);
    CHECK(PyThread_acquire_lock(lock, NOWAIT_LOCK) == 0);
    CHECK(PyThread_acquire_lock_timed(lock, 2000, 0) == PY_LOCK_FAILURE);
    PyThread_release_lock(lock); /* another thread's */
    return NULL;
}

static void without_python(void)
{
    CHECK(!PyThread_tss_is_created(&key));
    CHECK(PyThread_tss_create(&key) == 0 && PyThread_tss_create(&key) == 0);
    CHECK(PyThread_tss_is_created(&key));
    CHECK(PyThread_tss_set(&key, &key) == 0);
    PyThread_type_lock lock = PyThread_allocate_lock();
    CHECK(lock && PyThread_acquire_lock(lock, WAIT_LOCK) == 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, other_storage, lock) == 0);
    pthread_join(thread, NULL);
    CHECK(PyThread_acquire_lock(lock, NOWAIT_LOCK) == 1);
    PyThread_release_lock(lock);
    PyThread_free_lock(lock);
    CHECK(PyThread_tss_get(&key) == &key);
    PyThread_tss_delete(&key);
    CHECK(!PyThread_tss_is_created(&key));
    Py_tss_t *made = PyThread_tss_alloc();
    CHECK(made && !PyThread_tss_is_created(made) && PyThread_tss_create(made) == 0);
    CHECK(PyThread_tss_get(made) == NULL);
    PyThread_tss_free(made);
    PyThread_tss_free(NULL);
    PyMutex_Lock(&mutex);
    PyMutex_Unlock(&mutex);
    CHECK(Py_AddPendingCall(count_call, &calls) == -1);
    CHECK(!PyGILState_Check() && PyGILState_GetThisThreadState() == NULL && PyThreadState_GetUnchecked() == NULL);
}

/* Threads that come too late: they are told, or end, or sleep; each life has some of each. */
static void *comes_late(void *argument)
{
    PyGILState_STATE outer = PyGILState_Ensure();
    PyThreadState *ts = PyEval_SaveThread();
    atomic_fetch_add(&entered, 1);
    while (Py_IsInitialized() && !Py_IsFinalizing()) {
        usleep(200);
    }
    if (argument == NULL) {
        /* Its state is gone, and must not be touched. */
        PyEval_RestoreThread(ts);
        CHECK(!"came back");
    }
    CHECK(PyGILState_Ensure() == HOG_GILSTATE_LATE);
    PyGILState_Release(HOG_GILSTATE_LATE);
    atomic_fetch_add(&came_back, 1);
    (void)outer;
    return NULL;
}

/* What is taken before the runtime has chosen its allocators goes back the way it came. */
static PyInterpreterView *early_view;
static PyThread_type_lock early_lock;
static Py_tss_t *early_key;

static void before_the_first(void)
{
    early_view = PyInterpreterView_FromMain();
    early_lock = PyThread_allocate_lock();
    early_key = PyThread_tss_alloc();
    CHECK(early_view != NULL && early_lock != NULL && early_key != NULL);
    CHECK(PyThread_acquire_lock(early_lock, NOWAIT_LOCK) == 1 && PyThread_tss_create(early_key) == 0);
}

static void once_begun(void)
{
    PyThread_release_lock(early_lock);
    PyThread_free_lock(early_lock);
    PyThread_tss_free(early_key);
    PyInterpreterView_Close(early_view);
}

static void life(int number)
{
    atomic_store(&go, 0);
    atomic_store(&entered, 0);
    atomic_store(&came_back, 0);
    begin();
    if (number == 0)
        once_begun();
    PyObject *list = PyList_New(0);
    in_threads(6, ensures, list);
    CHECK(PyList_Size(list) == 300);
    in_threads(4, by_hand, PyInterpreterState_Get());
    PyInterpreterView *view = PyInterpreterView_FromCurrent();
    CHECK(view != NULL);
    in_threads(4, guarded, view);
    pending_calls();
    async_exceptions();
    protected_number = 0;
    in_threads(4, locks, NULL);
    CHECK(protected_number == 1200);
    PyObject *other = PyUnicode_FromString("other");
    sections(list, other);
    Py_DECREF(other);
    Py_DECREF(list);
    PyThreadState *ts = PyThreadState_Get();
    PyThreadState_EnterTracing(ts);
    PyThreadState_LeaveTracing(ts);
    PyInterpreterGuard *guard = PyInterpreterGuard_FromCurrent();
    CHECK(guard != NULL);
    pthread_t keeper, late[2];
    CHECK(pthread_create(&keeper, NULL, keeps_open, guard) == 0);
    wait_for(&entered, 1);
    atomic_store(&entered, 0);
    Hog_SetLateThreadPolicy(number % 2 ? HOG_LATE_EXIT : HOG_LATE_ERROR);
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&late[i], NULL, comes_late, number % 2 ? NULL : &go) == 0);
    }
    wait_for(&entered, 2);
    Py_END_ALLOW_THREADS
    atomic_store(&go, 1);
    CHECK(Py_FinalizeEx() == 0);
    CHECK(atomic_load(&came_back) >= 1);
    pthread_join(keeper, NULL);
    for (int i = 0; i < 2; i++) {
        pthread_join(late[i], NULL);
    }
    CHECK(PyInterpreterGuard_FromView(view) == NULL);
    CHECK(PyThreadState_EnsureFromView(view) == NULL);
    PyInterpreterView_Close(view);
    CHECK(number % 2 || PyGILState_Ensure() == HOG_GILSTATE_LATE);
    without_python();
    size_t blocks[3];
    CHECK(Hog_LiveBlocks(blocks) == 0);
    CHECK(blocks[0] == 0 && blocks[1] == 0 && blocks[2] == 0);
}

/* A C program that forks itself, with another thread in Python. */
static void forks(void)
{
    begin();
    CHECK(PyRun_SimpleString("stop = []\n"
                             "def busy():\n"
                             "    while not stop: [str(i) for i in range(50)]\n"
                             "import threading\n"
                             "thread = threading.Thread(target=busy)\n"
                             "thread.start()\n") == 0);
    for (int i = 0; i < 10; i++) {
        CHECK(PyRun_SimpleString("for i in range(20000): pass") == 0);
        PyOS_BeforeFork();
        pid_t pid = fork();
        if (pid == 0) {
            PyOS_AfterFork_Child();
            int failed = PyRun_SimpleString("import threading; assert threading.active_count() == 1\n"
                                            "t = threading.Thread(target=stop.append, args=(1,)); t.start(); t.join()\n");
            CHECK(end() == 0);
            _exit(failed ? 1 : 5);
        }
        PyOS_AfterFork_Parent();
        int status = 0;
        Py_BEGIN_ALLOW_THREADS
        CHECK(waitpid(pid, &status, 0) == pid);
        Py_END_ALLOW_THREADS
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    }
    CHECK(PyRun_SimpleString("stop.append(1); thread.join()") == 0);
    CHECK(end() == 0);
}

int main(void)
{
    before_the_first();
    CHECK(Hog_SetLateThreadPolicy(3) == -1 && Hog_SetLateThreadPolicy(-1) == -1);
    CHECK(Hog_SetLateThreadPolicy(HOG_LATE_ERROR) == 0);
    CHECK(PyGILState_Ensure() == HOG_GILSTATE_LATE);
    without_python();
    for (int number = 0; number < 4; number++) {
        life(number);
    }
    forks();
    return 0;
}

/* Threads of C that come and go as they like while the runtime starts, runs and ends, again and again:
   `threads_stress [LIVES [SEED]]`. Nobody may crash, hang, or touch what is gone; every life leaves nothing. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 6 };
static atomic_int stop, running;
static atomic_long attached, refused, asked, called, guarded, unguarded;

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int count(void *argument)
{
    (void)argument;
    atomic_fetch_add(&called, 1);
    return 0;
}

static void use_python(unsigned *random)
{
    switch (next_random(random) % 4) {
    case 0:
        CHECK(PyRun_SimpleString("x = [str(i) for i in range(20)]") == 0);
        break;
    case 1: {
        PyObject *list = PyList_New(0);
        CHECK(list != NULL);
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
        Py_DECREF(list);
        break;
    }
    case 2: {
        PyGILState_STATE inner = PyGILState_Ensure();
        CHECK(inner == PyGILState_LOCKED);
        PyGILState_Release(inner);
        break;
    }
    default:
        CHECK(PyThreadState_SetAsyncExc(1, PyExc_ValueError) == 0);
    }
}

static void *worker(void *argument)
{
    unsigned random = (unsigned)(uintptr_t)argument;
    PyInterpreterView *view = PyInterpreterView_FromMain();
    CHECK(view != NULL);
    while (!atomic_load(&stop)) {
        switch (next_random(&random) % 4) {
        case 0: {
            PyGILState_STATE state = PyGILState_Ensure();
            if (state == HOG_GILSTATE_LATE) {
                atomic_fetch_add(&refused, 1);
                break;
            }
            atomic_fetch_add(&attached, 1);
            /* Without letting the GIL go the runtime cannot end under us. */
            PyObject *number = PyLong_FromLong(12345);
            CHECK(number != NULL);
            Py_DECREF(number);
            PyGILState_Release(state);
            break;
        }
        case 1: {
            PyThreadStateToken *token = PyThreadState_EnsureFromView(view);
            if (token == NULL) {
                atomic_fetch_add(&unguarded, 1);
                break;
            }
            atomic_fetch_add(&guarded, 1);
            use_python(&random);
            PyThreadState_Release(token);
            break;
        }
        case 2:
            if (Py_AddPendingCall(count, NULL) == 0) {
                atomic_fetch_add(&asked, 1);
            }
            break;
        default:
            usleep(next_random(&random) % 300);
        }
    }
    PyInterpreterView_Close(view);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

int main(int argc, char **argv)
{
    int lives = argc > 1 ? atoi(argv[1]) : 8;
    unsigned random = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
    CHECK(Hog_SetLateThreadPolicy(HOG_LATE_ERROR) == 0);
    pthread_t threads[THREADS];
    for (int life = 0; life < lives; life++) {
        atomic_store(&stop, 0);
        atomic_store(&running, THREADS);
        /* Some come before the runtime. */
        for (int i = 0; i < THREADS / 2; i++) {
            CHECK(pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)next_random(&random)) == 0);
        }
        begin();
        CHECK(PyRun_SimpleString("import sys; sys.setswitchinterval(1e-5)") == 0);
        for (int i = THREADS / 2; i < THREADS; i++) {
            CHECK(pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)next_random(&random)) == 0);
        }
        int rounds = (int)(next_random(&random) % 30);
        for (int round = 0; round < rounds; round++) {
            CHECK(PyRun_SimpleString("import threading\n"
                                     "t = [threading.Thread(target=lambda: sum(range(500))) for _ in range(3)]\n"
                                     "for a in t: a.start()\n"
                                     "for i in range(500): pass\n"
                                     "for a in t: a.join()\n") == 0);
        }
        CHECK(Py_FinalizeEx() == 0);
        atomic_store(&stop, 1);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
        size_t blocks[3];
        CHECK(Hog_LiveBlocks(blocks) == 0);
        if (blocks[0] || blocks[1] || blocks[2]) {
            fprintf(stderr, "life %d left blocks: raw %zu, mem %zu, obj %zu\n", life, blocks[0], blocks[1], blocks[2]);
            return 1;
        }
    }
    printf("attached %ld, refused %ld, guarded %ld, unguarded %ld, pending calls %ld of %ld\n", atomic_load(&attached),
           atomic_load(&refused), atomic_load(&guarded), atomic_load(&unguarded), atomic_load(&called),
           atomic_load(&asked));
    CHECK(atomic_load(&attached) > 0 && atomic_load(&guarded) > 0 && atomic_load(&called) > 0);
    return 0;
}

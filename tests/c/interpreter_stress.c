/* Threads in several interpreters, that come in by all doors, while interpreters end and the runtime finalizes at some
   moment. Arguments: rounds, seed. Nothing may crash, hang or be harmed in another interpreter. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { INTERPRETERS = 3, THREADS = 4 };

static atomic_int finished, stop;
static unsigned int seed;

static unsigned int next_random(unsigned int *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int pending(void *unused)
{
    (void)unused;
    return 0;
}

typedef struct {
    PyInterpreterView *view;
    unsigned int random;
} Visitor;

/* Comes by a view, as PEP 788 has it: the interpreter may be gone. */
static void *visits(void *argument)
{
    Visitor *me = argument;
    while (!atomic_load(&stop)) {
        PyThreadStateToken *token = PyThreadState_EnsureFromView(me->view);
        if (token == NULL) {
            break;
        }
        switch (next_random(&me->random) % 4) {
        case 0:
            if (PyRun_SimpleString("counter = globals().get('counter', 0) + 1") != 0) {
                PyErr_Clear();
            }
            break;
        case 1:
            (void)Py_AddPendingCall(pending, NULL);
            break;
        case 2:
            Py_BEGIN_ALLOW_THREADS
            usleep(50);
            Py_END_ALLOW_THREADS
            break;
        default: {
            PyObject *error = PyExc_KeyError;
            PyThreadState_SetAsyncExc((unsigned long)pthread_self(), error);
            PyThreadState_SetAsyncExc((unsigned long)pthread_self(), NULL);
            break;
        }
        }
        PyThreadState_Release(token);
    }
    atomic_fetch_add(&finished, 1);
    return NULL;
}

static void one_round(unsigned int *random)
{
    begin();
    Hog_SetLateThreadPolicy(HOG_LATE_ERROR);
    PyThreadState *main_state = PyThreadState_Get();
    PyThreadState *states[INTERPRETERS];
    Visitor visitors[INTERPRETERS * THREADS];
    pthread_t threads[INTERPRETERS * THREADS];
    atomic_store(&finished, 0);
    atomic_store(&stop, 0);
    int count = 0;
    for (int i = 0; i < INTERPRETERS; i++) {
        Hog_InterpreterConfig config;
        Hog_InterpreterConfig_Init(&config);
        if (i == 0) {
            config.python.gil = PyInterpreterConfig_SHARED_GIL;
        }
        CHECK(!PyStatus_Exception(Hog_NewInterpreter(&states[i], &config)));
        for (int t = 0; t < THREADS; t++) {
            visitors[count].view = PyInterpreterView_FromCurrent();
            visitors[count].random = next_random(random);
            CHECK(visitors[count].view != NULL);
            count += 1;
        }
        PyThreadState_Swap(main_state);
    }
    PyEval_SaveThread();
    for (int i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], NULL, visits, &visitors[i]) == 0);
    }
    usleep(next_random(random) % 20000);
    /* Some are ended by hand, the others by finalization. */
    int by_hand = (int)(next_random(random) % (INTERPRETERS + 1));
    for (int i = 0; i < by_hand; i++) {
        PyEval_RestoreThread(states[i]);
        CHECK(PyRun_SimpleString("assert sum(range(100)) == 4950") == 0);
        Py_EndInterpreter(states[i]);
    }
    usleep(next_random(random) % 5000);
    PyEval_RestoreThread(main_state);
    CHECK(PyRun_SimpleString("import warnings; warnings.simplefilter('ignore')\nassert sum(range(100)) == 4950") == 0);
    CHECK(Py_FinalizeEx() == 0);
    atomic_store(&stop, 1);
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        PyInterpreterView_Close(visitors[i].view);
    }
    CHECK(atomic_load(&finished) == count);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 3;
    seed = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
    for (int i = 0; i < rounds; i++) {
        one_round(&seed);
    }
    return 0;
}

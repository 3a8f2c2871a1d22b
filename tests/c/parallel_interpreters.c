/* Interpreters with a GIL of their own run beside each other, on copies of one image whose strings and tuples they share:
   they look them up, intern them and take their hashes at the same time. Nobody counts or writes what is common. */
#include "check.h"
#include <pthread.h>

enum { ROUNDS = 3, INTERPRETERS = 3 };

static const char *PROGRAM =
    "import sys, json, collections\n"
    "for k in range(20):\n"
    "    class C(collections.UserDict): x = k\n"
    "    assert json.loads(json.dumps({'a': [k, str(k)]})) == {'a': [k, str(k)]}\n"
    "    assert sys.intern('_find_' + 'and_load') == '_find_and_load'\n"
    "    assert {name: hash(name) for name in dir(sys)}\n"
    "    assert {value for value in vars(sys).values() if isinstance(value, (str, bytes))}\n"
    "    assert hash(sys.builtin_module_names) == hash(tuple(sys.builtin_module_names))\n";

static void *work(void *interp)
{
    PyThreadState *state = PyThreadState_New(interp);
    CHECK(state != NULL);
    PyEval_AcquireThread(state);
    CHECK(PyRun_SimpleString(PROGRAM) == 0);
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
    return NULL;
}

int main(void)
{
    begin();
    PyThreadState *main_state = PyThreadState_Get();
    for (int round = 0; round < ROUNDS; round++) {
        PyThreadState *states[INTERPRETERS];
        pthread_t threads[INTERPRETERS];
        for (int i = 0; i < INTERPRETERS; i++) {
            PyInterpreterConfig config = {
                .allow_threads = 1,
                .check_multi_interp_extensions = 1,
                .gil = PyInterpreterConfig_OWN_GIL,
            };
            CHECK(!PyStatus_Exception(Py_NewInterpreterFromConfig(&states[i], &config)));
            PyThreadState_Swap(main_state);
        }
        for (int i = 0; i < INTERPRETERS; i++)
            CHECK(pthread_create(&threads[i], NULL, work, PyThreadState_GetInterpreter(states[i])) == 0);
        Py_BEGIN_ALLOW_THREADS
        for (int i = 0; i < INTERPRETERS; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        Py_END_ALLOW_THREADS
        for (int i = 0; i < INTERPRETERS; i++) {
            PyThreadState_Swap(states[i]);
            Py_EndInterpreter(states[i]);
            PyThreadState_Swap(main_state);
        }
    }
    return end();
}

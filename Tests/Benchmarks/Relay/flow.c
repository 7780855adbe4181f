// The other ends of the relay benchmark, and the relay that ours is measured against: plain reads and writes with buffers of 64 KiB.
//
//   flow relay PORT SOCKET               TCP port to Unix socket, a thread a direction
//   flow peer SOCKET                     what connects says with its first byte what it wants: s to be read, e to have it sent back
//   flow send ADDRESS STREAMS SECONDS    prints the bytes a second that the peer has read
//   flow ping ADDRESS CONNECTIONS EACH SECONDS
//                                        EACH requests of 64 bytes a second on each; prints p50 and p99 of their times in microseconds
//   flow log BYTES MEGABYTES SECONDS     writes numbered lines of BYTES, so many megabytes a second, and a last one
//   flow ask SOCKET THREADS [LINE]       a connection after the other for two minutes: sends the line and reads the answer, or closes at once
//   flow hold SOCKET COUNT               so many connections that say nothing, for two minutes; a new one for each that is closed
//
// ADDRESS is a port of 127.0.0.1, or the path of a Unix socket.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, REQUEST = 64, STORM_SECONDS = 120 };

static void die(const char *what) { perror(what); exit(1); }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static socklen_t unix_address(struct sockaddr_un *a, const char *path) {
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    strncpy(a->sun_path, path, sizeof a->sun_path - 1);
    return sizeof *a;
}

static socklen_t tcp_address(struct sockaddr_in *a, const char *port) {
    memset(a, 0, sizeof *a);
    a->sin_family = AF_INET;
    a->sin_port = htons(atoi(port));
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof *a;
}

static int dial(const char *address) {
    struct sockaddr_un u;
    struct sockaddr_in i;
    int one = 1, s = socket(*address == '/' ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    int failed = *address == '/' ? connect(s, (void *)&u, unix_address(&u, address)) : connect(s, (void *)&i, tcp_address(&i, address));
    if (s < 0 || failed) die(address);
    if (*address != '/') setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

static int serve(const char *address) {
    struct sockaddr_un u;
    struct sockaddr_in i;
    int one = 1, s = socket(*address == '/' ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int failed = *address == '/' ? bind(s, (void *)&u, unix_address(&u, address)) : bind(s, (void *)&i, tcp_address(&i, address));
    if (s < 0 || failed || listen(s, 512)) die(address);
    return s;
}

static void start(void *(*run)(void *), void *argument) {
    pthread_t t;
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 256 * 1024);
    pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&t, &a, run, argument)) die("pthread_create");
}

static int write_all(int to, const char *from, ssize_t count) {
    for (ssize_t done = 0; done < count;) {
        ssize_t n = write(to, from + done, count - done);
        if (n <= 0) return 0;
        done += n;
    }
    return 1;
}

struct pair { int from, to; };

static void *pump(void *argument) {
    struct pair p = *(struct pair *)argument;
    char *buffer = malloc(BUFFER);
    free(argument);
    for (ssize_t n; (n = read(p.from, buffer, BUFFER)) > 0 && write_all(p.to, buffer, n);) {}
    shutdown(p.to, SHUT_WR);
    free(buffer);
    return 0;
}

static void relay_one(int accepted, const char *path) {
    int dialled = dial(path);
    struct pair *up = malloc(sizeof *up), *down = malloc(sizeof *down);
    *up = (struct pair){accepted, dialled};
    *down = (struct pair){dialled, accepted};
    start(pump, up);
    start(pump, down);
}

static void *peer_one(void *argument) {
    int s = (int)(long)argument;
    char *buffer = malloc(BUFFER), kind;
    if (read(s, &kind, 1) == 1)
        for (ssize_t n; (n = read(s, buffer, BUFFER)) > 0 && (kind == 's' || write_all(s, buffer, n));) {}
    close(s);
    free(buffer);
    return 0;
}

struct load { const char *address; double until; int each, failed; long bytes; double *times; int count, room; };

static void *send_one(void *argument) {
    struct load *l = argument;
    char *buffer = calloc(1, BUFFER), end;
    int s = dial(l->address);
    if (!write_all(s, "s", 1)) return 0;
    while (now() < l->until) {
        if (!write_all(s, buffer, BUFFER)) { l->failed = 1; return 0; }
        l->bytes += BUFFER;
    }
    // The peer hangs up when it has read the last byte.
    shutdown(s, SHUT_WR);
    l->failed = read(s, &end, 1) != 0;
    close(s);
    free(buffer);
    return 0;
}

static void *ping_one(void *argument) {
    struct load *l = argument;
    char request[REQUEST] = {0};
    int s = dial(l->address);
    double next = now();
    if (!write_all(s, "e", 1)) return 0;
    for (; next < l->until && l->count < l->room; next += 1.0 / l->each) {
        double wait = next - now();
        if (wait > 0) usleep(wait * 1e6);
        double began = now();
        if (!write_all(s, request, REQUEST)) { l->failed = 1; return 0; }
        for (ssize_t got = 0, n; got < REQUEST; got += n)
            if ((n = read(s, request, REQUEST - got)) <= 0) { l->failed = 1; return 0; }
        l->times[l->count++] = (now() - began) * 1e6;
    }
    close(s);
    return 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static struct load *all(void *(*run)(void *), const char *address, int count, int each, double seconds) {
    struct load *loads = calloc(count, sizeof *loads);
    pthread_t *threads = calloc(count, sizeof *threads);
    double until = now() + seconds;
    for (int i = 0; i < count; i++) {
        loads[i] = (struct load){.address = address, .until = until, .each = each, .room = each * seconds + 1};
        loads[i].times = calloc(loads[i].room, sizeof(double));
        if (pthread_create(&threads[i], 0, run, &loads[i])) die("pthread_create");
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], 0);
        if (loads[i].failed) { fprintf(stderr, "flow: a connection broke\n"); exit(1); }
    }
    return loads;
}

// Once a millisecond, as much as is due by then.
static void write_lines(int bytes, double megabytes, double seconds) {
    char *lines = malloc(BUFFER + bytes);
    double began = now(), due;
    for (long number = 0; now() < began + seconds;) {
        due = (now() - began) * megabytes * 1e6 / bytes;
        while (number < due) {
            int length = 0;
            for (; length < BUFFER && number < due; number++, length += bytes) {
                memset(lines + length, 'x', bytes);
                lines[length + sprintf(lines + length, "line %ld", number)] = ' ';
                lines[length + bytes - 1] = '\n';
            }
            if (!write_all(1, lines, length)) exit(1);
        }
        usleep(1000);
    }
    printf("line last\n");
}

struct storm { const char *socket, *line; double until; };

static void *ask(void *argument) {
    struct storm *o = argument;
    char answer[1024], line[512];
    int length = o->line ? snprintf(line, sizeof line, "%s\n", o->line) : 0;
    while (now() < o->until) {
        int s = dial(o->socket);
        if (length && write_all(s, line, length))
            while (read(s, answer, sizeof answer) > 0) {}
        close(s);
    }
    return 0;
}

static void hold(const char *socket, int count, double until) {
    int *open = calloc(count, sizeof *open);
    char none;
    for (int i = 0; i < count; i++) open[i] = dial(socket);
    while (now() < until) {
        for (int i = 0; i < count; i++) {
            if (recv(open[i], &none, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) continue;
            close(open[i]);
            open[i] = dial(socket);
        }
        usleep(1000);
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (argc == 5 && !strcmp(argv[1], "log")) {
        write_lines(atoi(argv[2]), atof(argv[3]), atof(argv[4]));
        return 0;
    }
    if (argc == 4 && !strcmp(argv[1], "relay"))
        for (int s = serve(argv[2]), c; (c = accept(s, 0, 0)) >= 0;) relay_one(c, argv[3]);
    if (argc == 3 && !strcmp(argv[1], "peer"))
        for (int s = serve(argv[2]), c; (c = accept(s, 0, 0)) >= 0;) start(peer_one, (void *)(long)c);
    if (argc == 5 && !strcmp(argv[1], "send")) {
        double began = now();
        long bytes = 0;
        struct load *loads = all(send_one, argv[2], atoi(argv[3]), 0, atof(argv[4]));
        for (int i = 0; i < atoi(argv[3]); i++) bytes += loads[i].bytes;
        printf("%.0f\n", bytes / (now() - began));
        return 0;
    }
    if (argc == 6 && !strcmp(argv[1], "ping")) {
        int connections = atoi(argv[3]), count = 0;
        struct load *loads = all(ping_one, argv[2], connections, atoi(argv[4]), atof(argv[5]));
        double *times = calloc((size_t)connections * loads[0].room, sizeof(double));
        for (int i = 0; i < connections; i++)
            for (int j = 0; j < loads[i].count; j++) times[count++] = loads[i].times[j];
        qsort(times, count, sizeof(double), compare);
        printf("%.1f %.1f\n", times[count / 2], times[count * 99 / 100]);
        return 0;
    }
    if ((argc == 4 || argc == 5) && !strcmp(argv[1], "ask")) {
        struct storm o = {.socket = argv[2], .line = argc == 5 ? argv[4] : 0, .until = now() + STORM_SECONDS};
        for (int i = 1; i < atoi(argv[3]); i++) start(ask, &o);
        ask(&o);
        return 0;
    }
    if (argc == 4 && !strcmp(argv[1], "hold")) {
        hold(argv[2], atoi(argv[3]), now() + STORM_SECONDS);
        return 0;
    }
    fprintf(stderr, "usage: flow relay PORT SOCKET | peer SOCKET | send ADDRESS STREAMS SECONDS | ping ADDRESS CONNECTIONS EACH SECONDS"
                    " | log BYTES MEGABYTES SECONDS | ask SOCKET THREADS [LINE] | hold SOCKET COUNT\n");
    return 2;
}

#!/usr/bin/perl
# A plugin for the tests, in what every Debian has: answers HTTP on 127.0.0.1.
#   GET /       "plugin PID", the process to kill
#   GET /log/COUNT/BYTES   writes so many numbered lines of so many bytes to its output first
#   GET /hold   keeps the connection open until the other side closes it
# usage: plugin.pl PORT
use strict;
use warnings;
use IO::Socket::INET;

my $main = $$;
my $port = shift or die "usage: plugin.pl PORT\n";
$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = sub { print "plugin is asked to stop\n" if $$ == $main; exit 0 };
$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "cannot listen on $port: $!\n";
print "plugin serves on port $port\n";
while (1) {
    my $client = $server->accept or next;
    if (my $child = fork) { close $client; next }
    close $server;
    my $request = <$client> // '';
    while (my $header = <$client>) { last if $header =~ /^\r?$/ }
    if ($request =~ m{^GET /hold }) {
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nheld\n";
        $client->flush;
        1 while <$client>;
        exit 0;
    }
    if ($request =~ m{^GET /log/(\d+)/(\d+) }) {
        my ($count, $bytes) = ($1, $2);
        $| = 0;
        for my $i (1 .. $count) { my $line = "line $i "; print $line, 'x' x ($bytes - length $line), "\n" }
        $| = 1;
    }
    my $body = "plugin $main\n";
    print $client "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
    exit 0;
}

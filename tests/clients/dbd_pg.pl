# SPDX-License-Identifier: PostgreSQL
# Perl's DBD::Pg: server-side prepared statements by default, COPY by lines, asynchronous queries.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:async);
use Digest::MD5 qw(md5_hex);
use Encode qw(encode_utf8);
use Time::HiRes qw(sleep);

binmode STDOUT, ':utf8';
$| = 1;
my $large = $ENV{LARGE_BYTES};

sub statements {
    my ($name) = @_;
    open my $file, '<:encoding(UTF-8)', "$ENV{STATEMENTS}/$name" or die $!;
    chomp(my @lines = <$file>);
    return @lines;
}

sub connect_to {
    my (%how) = @_;
    my $dbh = DBI->connect(join('', 'dbi:Pg:', $how{database} ? "dbname=$how{database}" : ''), $how{user}, $how{password},
        { AutoCommit => 1, RaiseError => 0, PrintError => 0, pg_enable_utf8 => 1, pg_errorlevel => 2 });
    return $dbh;
}

sub shown { return join ', ', map { defined $_ ? "'$_'" : 'null' } @_ }

sub show_error {
    my ($handle) = @_;
    print join(' ', 'error', $handle->err // '', $handle->state // '', $handle->errstr // ''), "\n";
    my $fields = eval { $handle->pg_error_field('all') } || {};
    print "    $_: ", $fields->{$_} // 'null', "\n" for sort grep { !/internal_/ } keys %$fields;
}

sub run {
    my ($dbh, $sql, @values) = @_;
    my $statement = $dbh->prepare($sql);
    if (!$statement || !$statement->execute(@values)) {
        show_error($dbh);
        return;
    }
    print 'rows ', $statement->rows, "\n";
    return unless $statement->{NUM_OF_FIELDS};
    print shown(@{ $statement->{NAME} }), ' ', shown(@{ $statement->{pg_type} }), "\n";
    while (my $row = $statement->fetchrow_arrayref) { print shown(@$row), "\n" }
    return;
}

sub simply {
    my ($dbh, $sql) = @_;
    my $done = $dbh->do($sql);
    if (defined $done) { print "done $done\n" } else { show_error($dbh) }
    return;
}

sub greet {
    my ($dbh) = @_;
    print "== connect\n";
    print "$_ $dbh->{$_}\n" for qw(pg_server_version pg_db pg_user pg_protocol);
    run($dbh, 'select current_user, session_user, current_database()');
    run($dbh, "select current_setting('application_name'), current_setting('client_encoding')");
    return;
}

sub prepare {
    my ($dbh) = @_;
    print "== prepared\n";
    my $find = $dbh->prepare('select id, name from customers where id = ?', { pg_prepare_now => 1 });
    for my $number (1, 2, 3, undef) {
        $find->execute($number);
        print 'rows ', $find->rows, ' ', shown(map { @$_ } @{ $find->fetchall_arrayref }), "\n";
    }
    undef $find;
    run($dbh, 'select $1::int + 1, $2::text', 7, 'sieben ü');
    run($dbh, 'select $1::int', 'no number');
    my $many = $dbh->prepare('insert into bulk values (?, ?)');
    print 'many ', $many->execute_array({}, [1 .. 200], 'many') // 'null', "\n";
    return;
}

sub copy {
    my ($dbh) = @_;
    print "== copy\n";
    $dbh->do('copy bulk from stdin');
    $dbh->pg_putcopydata("$_\tline $_ ü\n") for 0 .. 19999;
    print 'end ', $dbh->pg_putcopyend(), "\n";
    $dbh->do('copy (select * from bulk order by id, line) to stdout (format csv)');
    my ($digest, $line) = (Digest::MD5->new);
    $digest->add(encode_utf8($line)) while $dbh->pg_getcopydata($line) >= 0;
    print $digest->hexdigest, "\n";
    $dbh->do('copy bulk from stdin');
    $dbh->pg_putcopydata("1\tgood\nx\tbad\n");
    print 'end ', eval { $dbh->pg_putcopyend() } // 'null', "\n";
    show_error($dbh);
    $dbh->do('copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout');
    1 while eval { $dbh->pg_getcopydata($line) // -1 } >= 0;
    show_error($dbh);
    run($dbh, 'select count(*) from bulk');
    return;
}

sub notify {
    my ($dbh, $other) = @_;
    print "== notify\n";
    simply($dbh, 'listen bell');
    simply($other, "notify bell, 'from the other ü'");
    simply($dbh, "notify bell, 'from itself'");
    my $heard = 0;
    while ($heard < 2) {
        my $notice = $dbh->pg_notifies;
        if (!$notice) { sleep 0.02; next }
        print shown(@{$notice}[0, 2]), "\n";
        $heard += 1;
    }
    simply($dbh, 'unlisten *');
    return;
}

sub carry_large {
    my ($dbh) = @_;
    print "== large\n";
    my $text = '0123456789abcdef' x ($large / 16);
    run($dbh, 'insert into large values (1, ?) returning md5(value), length(value)', $text);
    my ($back) = $dbh->selectrow_array('select value from large');
    print length($back), ' ', md5_hex($back), "\n";
    return;
}

sub errors {
    my ($dbh) = @_;
    print "== errors\n";
    for my $sql (statements('errors.sql')) {
        simply($dbh, $sql);
        run($dbh, $sql) if $sql !~ /^do/;
    }
    return;
}

sub transact {
    my ($dbh) = @_;
    print "== transactions\n";
    $dbh->begin_work;
    simply($dbh, "insert into customers values (10, 'Ten', null)");
    print 'commit ', $dbh->commit, "\n";
    $dbh->begin_work;
    simply($dbh, "insert into customers values (11, 'Eleven', null)");
    print 'rollback ', $dbh->rollback, "\n";
    $dbh->begin_work;
    run($dbh, 'insert into customers values (?, ?, null)', 12, 'Twelve');
    $dbh->pg_savepoint('s');
    run($dbh, 'insert into customers values (?, ?, null)', 12, 'Again');
    print 'status ', $dbh->ping, ' ', $dbh->pg_ping, "\n";
    run($dbh, 'select 1');
    $dbh->pg_rollback_to('s');
    print 'commit ', $dbh->commit, "\n";
    $dbh->begin_work;
    simply($dbh, 'insert into late values (1), (1)');
    print 'commit ', $dbh->commit // 'null', "\n";
    show_error($dbh);
    $dbh->rollback unless $dbh->{AutoCommit};
    run($dbh, 'select id from customers order by id');
    return;
}

sub cancel {
    my ($dbh, $other) = @_;
    print "== cancel\n";
    my $asleep = $dbh->prepare('select pg_sleep(30)', { pg_async => PG_ASYNC });
    $asleep->execute;
    sleep 0.02 until $other->selectrow_array("select count(*) from pg_stat_activity where wait_event = 'PgSleep'");
    print 'cancelled ', $dbh->pg_cancel // 'null', "\n";
    show_error($dbh);
    run($dbh, q{select 'goes on'});
    return;
}

sub refuse {
    print "== refused\n";
    for my $how ({ password => 'wrong' }, { database => 'nowhere' }, { user => 'nobody_here' }) {
        connect_to(%$how) and die 'let in';
        print $DBI::err, ' ', $DBI::state, ' ', $DBI::errstr, "\n";
    }
    return;
}

sub terminate {
    print "== terminated\n";
    my $victim = connect_to();
    run($victim, 'select pg_terminate_backend(pg_backend_pid())');
    print 'ping ', $victim->ping, "\n";
    return;
}

local $SIG{__WARN__} = sub { print 'warning ', @_ };
my ($dbh, $other) = (connect_to(), connect_to());
greet($dbh);
print "== simple\n";
run($dbh, $_) for statements('simple.sql');
simply($dbh, "select 1; select 'two'; select 3");
prepare($dbh);
copy($dbh);
notify($dbh, $other);
carry_large($dbh);
errors($dbh);
transact($dbh);
cancel($dbh, $other);
refuse();
terminate();
print "== closed\n";
$dbh->disconnect;
sleep 0.02 until $other->selectrow_array('select count(*) = 1 from pg_stat_activity where usename = current_user');
$other->disconnect;

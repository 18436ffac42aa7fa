// SPDX-License-Identifier: PostgreSQL
// Go's lib/pq behind database/sql: one unnamed prepared statement per query with values, COPY as a statement.
package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"errors"
	"fmt"
	"io/ioutil"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

const sleeps = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"

var background = context.Background()

func statements(name string) []string {
	text, err := ioutil.ReadFile(os.Getenv("STATEMENTS") + "/" + name)
	if err != nil {
		panic(err)
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

func show(err error) {
	var told *pq.Error
	if !errors.As(err, &told) {
		fmt.Println("error", err)
		return
	}
	fmt.Print("pq.Error ", told.Error())
	fields := reflect.ValueOf(*told)
	for i := 0; i < fields.NumField(); i++ {
		if text := fields.Field(i).String(); text != "" {
			fmt.Printf(" %s=%q", fields.Type().Field(i).Name, text)
		}
	}
	fmt.Println()
}

// connect opens one connection of its own pool.
func connect(words string) (*sql.DB, *sql.Conn, error) {
	connector, err := pq.NewConnector(words + " connect_timeout=20")
	if err != nil {
		return nil, nil, err
	}
	database := sql.OpenDB(pq.ConnectorWithNoticeHandler(connector, func(notice *pq.Error) { show(notice) }))
	connection, err := database.Conn(background)
	return database, connection, err
}

type asker interface {
	QueryContext(context.Context, string, ...interface{}) (*sql.Rows, error)
}

func run(connection asker, text string, values ...interface{}) {
	rows, err := connection.QueryContext(background, text, values...)
	if err != nil {
		show(err)
		return
	}
	tell(rows)
}

func tell(rows *sql.Rows) {
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		names, _ := rows.Columns()
		types, _ := rows.ColumnTypes()
		for i, name := range names {
			fmt.Print(name, " ", types[i].DatabaseTypeName(), "; ")
		}
		fmt.Println()
		for rows.Next() {
			row := make([]interface{}, len(names))
			places := make([]interface{}, len(names))
			for i := range row {
				places[i] = &row[i]
			}
			if err := rows.Scan(places...); err != nil {
				fmt.Println("scan", err)
			}
			fmt.Printf("%q\n", row)
		}
	}
	if err := rows.Err(); err != nil {
		show(err)
	}
}

func execute(connection *sql.Conn, text string, values ...interface{}) {
	result, err := connection.ExecContext(background, text, values...)
	if err != nil {
		show(err)
		return
	}
	rows, err := result.RowsAffected()
	fmt.Println("affected", rows, err)
}

func greet(connection *sql.Conn) {
	fmt.Println("== connect")
	run(connection, "select current_user, session_user, current_database()")
	run(connection, "select current_setting('application_name'), current_setting('client_encoding'), current_setting('DateStyle')")
}

func prepare(connection *sql.Conn) {
	fmt.Println("== prepared")
	find, err := connection.PrepareContext(background, "select id, name from customers where id = $1")
	if err != nil {
		panic(err)
	}
	for _, number := range []interface{}{1, 2, 3, nil, "no number"} {
		rows, err := find.Query(number)
		if err != nil {
			show(err)
			continue
		}
		tell(rows)
	}
	find.Close()
	run(connection, "select $1::int + 1, $2::text, $3::bytea, $4::int[]", 7, "sieben ü", []byte{0, 255}, pq.Array([]int{1, 2}))
	run(connection, "select $1::int", "no number")
	run(connection, "select nothing from customers where id = $1", 1)
}

func copyIn(connection *sql.Conn, count int, line func(int) []interface{}) {
	transaction, err := connection.BeginTx(background, nil)
	if err != nil {
		panic(err)
	}
	into, err := transaction.Prepare(pq.CopyIn("bulk", "id", "line"))
	if err != nil {
		panic(err)
	}
	for n := 0; n < count && err == nil; n++ {
		_, err = into.Exec(line(n)...)
	}
	if err == nil {
		_, err = into.Exec()
	}
	if err != nil {
		show(err)
	}
	if err = into.Close(); err != nil {
		fmt.Println("close", err)
	}
	if err = transaction.Commit(); err != nil {
		fmt.Println("commit", err)
	}
}

func copyAll(connection *sql.Conn) {
	fmt.Println("== copy")
	copyIn(connection, 20000, func(n int) []interface{} { return []interface{}{n, fmt.Sprintf("line %d ü", n)} })
	copyIn(connection, 2, func(n int) []interface{} { return []interface{}{[]interface{}{1, "x"}[n], "bad"} })
	run(connection, "select count(*) from bulk")
	run(connection, "select md5(string_agg(id || line, ',' order by id)) from bulk")
}

func notify(connection *sql.Conn, words string) {
	fmt.Println("== notify")
	listener := pq.NewListener(words, time.Second, time.Second, func(_ pq.ListenerEventType, err error) {
		if err != nil {
			fmt.Println("listener", err)
		}
	})
	fmt.Println(listener.Listen("bell"))
	for _, payload := range []string{"first ü", "second"} {
		run(connection, "select pg_notify('bell', $1)", payload)
		notice := <-listener.Notify
		fmt.Println(notice.Channel, notice.Extra)
	}
	fmt.Println(listener.Ping(), listener.Unlisten("bell"), listener.Close())
}

func carryLarge(connection *sql.Conn) {
	fmt.Println("== large")
	size, _ := strconv.Atoi(os.Getenv("LARGE_BYTES"))
	text := strings.Repeat("0123456789abcdef", size/16)
	run(connection, "insert into large values (1, $1) returning md5(value), length(value)", text)
	var back string
	err := connection.QueryRowContext(background, "select value from large").Scan(&back)
	fmt.Printf("%d %x %v\n", len(back), md5.Sum([]byte(back)), err)
}

func fail(connection *sql.Conn) {
	fmt.Println("== errors")
	for _, text := range statements("errors.sql") {
		run(connection, text)
		execute(connection, text)
		if statement, err := connection.PrepareContext(background, text); err != nil {
			show(err)
		} else {
			_, err = statement.Exec()
			show(err)
			statement.Close()
		}
	}
}

func transact(connection *sql.Conn) {
	fmt.Println("== transactions")
	for _, step := range []struct {
		texts []string
		end   func(*sql.Tx) error
	}{
		{[]string{"insert into customers values (10, 'Ten', null)"}, (*sql.Tx).Commit},
		{[]string{"insert into customers values (11, 'Eleven', null)"}, (*sql.Tx).Rollback},
		{[]string{"insert into customers values (12, 'Twelve', null)", "savepoint s",
			"insert into customers values (12, 'Again', null)", "select 1", "rollback to s"}, (*sql.Tx).Commit},
		{[]string{"select 1 / 0", "select 1"}, (*sql.Tx).Commit},
		{[]string{"insert into late values (1), (1)"}, (*sql.Tx).Commit},
	} {
		transaction, err := connection.BeginTx(background, &sql.TxOptions{Isolation: sql.LevelSerializable})
		if err != nil {
			panic(err)
		}
		for _, text := range step.texts {
			run(transaction, text)
		}
		if err = step.end(transaction); err != nil {
			show(err)
		}
	}
	run(connection, "select id from customers order by id")
}

func cancel(connection, other *sql.Conn) {
	fmt.Println("== cancel")
	asleep, wake := context.WithCancel(background)
	go func() {
		for count := 0; count == 0; time.Sleep(20 * time.Millisecond) {
			if err := other.QueryRowContext(background, sleeps).Scan(&count); err != nil {
				panic(err)
			}
		}
		wake()
	}()
	_, err := connection.ExecContext(asleep, "select pg_sleep(30)")
	show(err)
}

func refuse() {
	fmt.Println("== refused")
	for _, words := range []string{"password=wrong", "dbname=nowhere", "user=nobody_here"} {
		database, _, err := connect(words)
		show(err)
		database.Close()
	}
}

func terminate() {
	fmt.Println("== terminated")
	database, victim, err := connect("")
	if err != nil {
		panic(err)
	}
	execute(victim, "select pg_terminate_backend(pg_backend_pid())")
	database.Close()
}

func main() {
	database, connection, err := connect("")
	if err != nil {
		panic(err)
	}
	otherDatabase, other, err := connect("")
	if err != nil {
		panic(err)
	}
	greet(connection)
	fmt.Println("== simple")
	for _, text := range statements("simple.sql") {
		run(connection, text)
	}
	run(connection, "select 1; select 'two'; select 3")
	prepare(connection)
	copyAll(connection)
	notify(connection, "")
	carryLarge(connection)
	fail(connection)
	transact(connection)
	cancel(connection, other)
	refuse()
	terminate()
	fmt.Println("== closed")
	connection.Close()
	database.Close()
	for count := 0; count != 1; time.Sleep(20 * time.Millisecond) {
		err = other.QueryRowContext(background, "select count(*) from pg_stat_activity where usename = current_user").Scan(&count)
		if err != nil {
			panic(err)
		}
	}
	otherDatabase.Close()
}

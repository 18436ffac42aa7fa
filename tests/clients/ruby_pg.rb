# SPDX-License-Identifier: PostgreSQL
# Ruby's pg: libpq's non-blocking calls under the surface, COPY with coders, pipelines.
require 'digest'
require 'pg'

$stdout.sync = true
LARGE = ENV['LARGE_BYTES'].to_i
FIELDS = PG::Result.constants.grep(/\APG_DIAG_/).sort

def statements(name)
  File.read("#{ENV['STATEMENTS']}/#{name}", encoding: 'UTF-8').lines(chomp: true)
end

def open_connection(**how)
  connection = PG::Connection.new(**how)
  connection.set_notice_receiver { |result| puts "notice #{fields(result)}" }
  connection
end

def fields(result)
  FIELDS.map { |name| [name, result.error_field(PG::Result.const_get(name))] }.reject { |_, value| value.nil? }.inspect
end

def show(error)
  puts "#{error.class} #{error.message.inspect} #{error.result ? fields(error.result) : ''}"
end

def tell(result)
  puts "#{result.cmd_status} #{result.fields.inspect} #{result.nfields.times.map { |n| result.ftype(n) }.inspect}"
  result.each_row { |row| puts row.inspect }
end

def run(connection, sql, *values)
  tell(values.empty? ? connection.exec(sql) : connection.exec_params(sql, values))
rescue PG::Error => e
  show(e)
end

def value(connection, sql)
  connection.exec(sql).getvalue(0, 0)
end

def greet(connection)
  puts '== connect'
  %w[server_version client_encoding DateStyle TimeZone is_superuser application_name].each do |name|
    puts "#{name} #{connection.parameter_status(name)}"
  end
  puts "#{connection.server_version} #{connection.protocol_version} #{connection.ssl_in_use?}"
  run(connection, 'select current_user, session_user, current_database()')
end

def prepare(connection)
  puts '== prepared'
  connection.prepare('find', 'select id, name from customers where id = $1')
  [1, 2, 3, nil].each { |number| tell(connection.exec_prepared('find', [number])) }
  tell(connection.describe_prepared('find'))
  run(connection, 'select $1::int + 1, $2::text', 7, 'sieben ü')
  run(connection, 'select $1::int', 'no number')
  tell(connection.exec_params('select $1::int, $2::bytea', [7, { value: "\0\xff", format: 1 }], 1))
  connection.send_query("select n, repeat('x', n) from generate_series(1, 55) n")
  connection.set_single_row_mode
  rows = []
  while (result = connection.get_result)
    rows << result.values
  end
  puts Digest::MD5.hexdigest(rows.inspect)
end

def copy(connection)
  puts '== copy'
  encoder = PG::TextEncoder::CopyRow.new
  tell(connection.copy_data('copy bulk from stdin', encoder) do
    20_000.times { |n| connection.put_copy_data([n.to_s, "line #{n} ü"]) }
  end)
  digest = Digest::MD5.new
  tell(connection.copy_data('copy (select * from bulk order by id, line) to stdout (format csv)') do
    while (row = connection.get_copy_data)
      digest << row
    end
  end)
  puts digest.hexdigest
  ["1\tgood\nx\tbad\n", nil].each do |data|
    connection.copy_data('copy bulk from stdin') do
      data ? connection.put_copy_data(data) : raise('the client gives up')
    end
  rescue PG::Error => e
    show(e)
  rescue RuntimeError => e
    puts e.message
  end
  begin
    connection.copy_data('copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout') do
      while (row = connection.get_copy_data)
        puts row
      end
    end
  rescue PG::Error => e
    show(e)
  end
  run(connection, 'select count(*) from bulk')
end

# Shows the results up to the next synchronisation.
def segment(connection)
  loop do
    result = connection.get_result or next
    break if result.result_status == PG::PGRES_PIPELINE_SYNC

    puts "#{result.res_status(result.result_status)} #{result.cmd_status} #{result.values} #{fields(result)}"
  end
end

def pipeline(connection)
  puts '== pipeline'
  connection.enter_pipeline_mode
  10.times { |n| connection.send_query_params("select $1::int * 2, repeat('x', $1::int)", [n]) }
  connection.pipeline_sync
  connection.send_query_params('select 1', [])
  connection.send_query_params('selec', [])
  connection.send_query_params('select 2', [])
  connection.pipeline_sync
  connection.send_query_params("insert into customers values (1, 'Again', null)", [])
  connection.pipeline_sync
  3.times { segment(connection) }
  connection.exit_pipeline_mode
  run(connection, 'select 3')
end

def notify(connection, other)
  puts '== notify'
  run(connection, 'listen bell')
  run(other, "notify bell, 'from the other ü'")
  connection.wait_for_notify(20) { |channel, _, payload| puts "#{channel} #{payload}" }
  run(connection, "notify bell, 'from itself'")
  connection.wait_for_notify(20) { |channel, _, payload| puts "#{channel} #{payload}" }
  run(connection, 'unlisten *')
end

def carry_large(connection)
  puts '== large'
  text = '0123456789abcdef' * (LARGE / 16)
  run(connection, 'insert into large values (1, $1) returning md5(value), length(value)', text)
  back = value(connection, 'select value from large')
  puts back == text
end

def fail_all(connection)
  puts '== errors'
  statements('errors.sql').each do |sql|
    run(connection, sql)
    begin
      tell(connection.exec_params(sql, []))
    rescue PG::Error => e
      show(e)
    end
  end
end

def transact(connection)
  puts '== transactions'
  connection.transaction { run(connection, "insert into customers values (10, 'Ten', null)") }
  begin
    connection.transaction do
      run(connection, "insert into customers values (11, 'Eleven', null)")
      raise 'the client gives up'
    end
  rescue RuntimeError => e
    puts e.message
  end
  run(connection, 'begin')
  run(connection, "insert into customers values (12, 'Twelve', null)")
  run(connection, 'savepoint s')
  run(connection, "insert into customers values (12, 'Again', null)")
  puts connection.transaction_status
  run(connection, 'select 1')
  run(connection, 'rollback to s')
  run(connection, 'commit')
  run(connection, 'begin')
  run(connection, 'insert into late values (1), (1)')
  run(connection, 'commit')
  puts connection.transaction_status
  run(connection, 'select id from customers order by id')
end

def cancel(connection, other)
  puts '== cancel'
  connection.send_query('select pg_sleep(30)')
  sleep 0.02 until value(other, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") != '0'
  puts connection.cancel.inspect
  begin
    connection.get_last_result
  rescue PG::Error => e
    show(e)
  end
  run(connection, "select 'goes on'")
end

def refuse
  puts '== refused'
  [{ password: 'wrong' }, { dbname: 'nowhere' }, { user: 'nobody_here' }].each do |how|
    open_connection(**how)
  rescue PG::Error => e
    puts "#{e.class} #{e.message}"
  end
end

def terminate
  puts '== terminated'
  victim = open_connection
  run(victim, 'select pg_terminate_backend(pg_backend_pid())')
  puts victim.status
end

connection = open_connection
other = open_connection
greet(connection)
puts '== simple'
statements('simple.sql').each { |sql| run(connection, sql) }
run(connection, "select 1; select 'two'; select 3")
prepare(connection)
copy(connection)
pipeline(connection)
notify(connection, other)
carry_large(connection)
fail_all(connection)
transact(connection)
cancel(connection, other)
refuse
terminate
puts '== closed'
connection.close
sleep 0.02 until value(other, 'select count(*) from pg_stat_activity where usename = current_user') == '1'
other.close

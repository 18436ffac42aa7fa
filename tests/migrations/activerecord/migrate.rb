# SPDX-License-Identifier: PostgreSQL
# What "rails db:migrate" does, without the rest of Rails.
require "active_record"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
ActiveRecord::MigrationContext.new("db", ActiveRecord::SchemaMigration).migrate

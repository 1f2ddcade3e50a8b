import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Reservation, Ticket, Transfer } from './entities';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      entities: [Ticket, Transfer, Reservation],
      connectTimeoutMS: 5_000,
      maxQueryExecutionTime: 2_000,
      extra: { max: 15, query_timeout: 12_000, statement_timeout: 10_000 },
    }),
    TypeOrmModule.forFeature([Ticket, Transfer, Reservation]),
  ],
  exports: [TypeOrmModule],
})
export class DatabaseModule {}
